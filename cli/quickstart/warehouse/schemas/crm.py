"""Schema `crm`: who buys."""

from __future__ import annotations

from dataspoke.cli.quickstart.warehouse.model import Schema, Table, View, col, ref

_CUSTOMERS = Table(
    "crm",
    "customers",
    "People with an account in the web shop: name, e-mail address, phone, consent and segment.",
    (
        col("customer_id", "integer", "Surrogate key."),
        col("first_name", "text", "Given name.", pii="name"),
        col("last_name", "text", "Family name.", pii="name"),
        col("email", "text", "E-mail address the customer signs in with; unique.", pii="email"),
        col("phone", "text", "Phone number in international form.", null=True, pii="phone"),
        col("birth_date", "date", "Date of birth where given.", null=True, pii="birth_date"),
        col("registered_at", "timestamptz", "When the account was opened."),
        col("language", "char(2)", "Language of letters and e-mails, ISO 639-1."),
        col("marketing_consent", "boolean", "May be written to for advertising."),
        col("segment", "text", "Segment of the yearly customer study: casual, regular, collector."),
        col("referrer", "text", null=True),
    ),
    ("customer_id",),
)

_ADDRESSES = Table(
    "crm",
    "postal_addresses",
    "Where customers live, and where parcels and invoices go to.",
    (
        col("address_id", "integer", "Surrogate key."),
        col("customer_id", "integer", "Who lives or receives there."),
        col("kind", "text", "home, work or gift."),
        col("street", "text", "Street and house number.", pii="address"),
        col("postal_code", "text", "Postal code as the country writes it.", pii="address"),
        col("city", "text", "Town of delivery.", pii="address"),
        col("country_code", "char(2)", "ISO 3166-1 alpha-2."),
        col("is_default", "boolean"),
    ),
    ("address_id",),
    (ref("customer_id", "crm.customers"),),
)

_PAYMENT_METHODS = Table(
    "crm",
    "payment_methods",
    "Bank accounts and cards that customers have stored, masked to the last four digits.",
    (
        col("payment_method_id", "integer", "Surrogate key."),
        col("customer_id", "integer", "Whose account or card it is."),
        col("kind", "text", "direct_debit, card or wallet."),
        col("account_holder", "text", "Name of the holder as the bank knows it.", pii="name"),
        col(
            "iban_last4", "char(4)", "Last four digits of the IBAN.", null=True, pii="bank_account"
        ),
        col(
            "card_last4", "char(4)", "Last four digits of the card.", null=True, pii="bank_account"
        ),
        col("expires_on", "date", "Last day the card may be charged.", null=True),
        col("added_at", "timestamptz"),
    ),
    ("payment_method_id",),
    (ref("customer_id", "crm.customers"),),
)

_LOYALTY = Table(
    "crm",
    "loyalty_accounts",
    "Bonus programme: tier and points of each member.",
    (
        col("customer_id", "integer", "Member; at most one account each."),
        col("tier", "text", "paper, silver or gold."),
        col("points", "integer", "Balance of bonus points; one point per euro spent."),
        col("joined_on", "date", "Day of joining the programme."),
    ),
    ("customer_id",),
    (ref("customer_id", "crm.customers"),),
)

_TICKETS = Table(
    "crm",
    "support_tickets",
    "Questions and complaints that reached customer service.",
    (
        col("ticket_id", "integer", "Surrogate key."),
        col("customer_id", "integer", "Who asked."),
        col("opened_at", "timestamptz", "When the first message came in."),
        col("closed_at", "timestamptz", "When it was solved; empty while open.", null=True),
        col("topic", "text", "delivery, refund, damaged_book, account or other."),
        col("channel", "text"),
        col("satisfaction", "smallint", "Answer to the survey, 1 worst to 5 best.", null=True),
    ),
    ("ticket_id",),
    (ref("customer_id", "crm.customers"),),
)

_OPEN_TICKETS = View(
    "crm",
    "open_tickets",
    "Support tickets that still wait for an answer, oldest first.",
    """
    SELECT t.ticket_id, t.customer_id, t.topic, t.channel, t.opened_at
    FROM crm.support_tickets AS t
    WHERE t.closed_at IS NULL
    ORDER BY t.opened_at
    """,
    (col("opened_at", "", "When the first message came in."),),
)

CRM = Schema(
    name="crm",
    comment="Customers, their addresses and payment methods, loyalty and support.",
    tables=(_CUSTOMERS, _ADDRESSES, _PAYMENT_METHODS, _LOYALTY, _TICKETS),
    views=(_OPEN_TICKETS,),
)
