"""Vocabulary of the book shop. All names and places of work are made up."""

from __future__ import annotations


def _list(text: str) -> tuple[str, ...]:
    return tuple(" ".join(text.split()).split(", "))


FIRST_NAMES = _list(
    """
    Ada, Alma, Anton, Astrid, Beatriz, Bruno, Carla, Cem, Clara, Daan, Dilek, Edda, Elif, Emil,
    Enzo, Fatima, Felix, Finn, Freya, Greta, Hanna, Henrik, Ida, Ines, Ivan, Jana, Jonas, Julia,
    Kaja, Karim, Lars, Lea, Leon, Lina, Luca, Maja, Malte, Marta, Mateo, Mila, Nadia, Nils, Noa,
    Olga, Oskar, Pablo, Paula, Rafael, Rosa, Samir, Selma, Sofia, Stefan, Tara, Theo, Tilda,
    Ugo, Vera, Viktor, Wanda, Yara, Yusuf, Zoe
    """
)
LAST_NAMES = _list(
    """
    Aksoy, Albrecht, Andersen, Bauer, Becker, Berger, Bianchi, Blom, Brandt, Castillo, Costa,
    Dahl, Demir, Dietrich, Dubois, Ekström, Fabre, Ferrari, Fischer, Franke, Garcia, Graf, Haas,
    Hansen, Hartmann, Hoffmann, Horvat, Jansen, Jensen, Kaya, Keller, Klein, Koch, Kowalski,
    Kraus, Lang, Larsen, Lehmann, Lindgren, Lorenz, Marchetti, Martin, Meyer, Moreau, Nowak,
    Olsen, Papadakis, Peeters, Petrov, Pohl, Ricci, Roth, Santos, Schäfer, Schulz, Silva,
    Sommer, Svensson, Torres, Vogel, Wagner, Weiss, Winter, Yilmaz, Zeman
    """
)
STREETS = _list(
    """
    Ahornweg, Am Bach, Am Markt, Bahnhofstraße, Birkenallee, Brückenstraße, Eichenweg,
    Feldstraße, Gartenstraße, Hafenstraße, Hauptstraße, Kirchgasse, Lindenstraße, Mühlenweg,
    Parkstraße, Ringstraße, Rosenweg, Schlossallee, Schulstraße, Sonnenweg, Uferpromenade,
    Waldstraße, Weinbergweg, Wiesenweg
    """
)
CITIES = (
    ("Berlin", "DE", "10115"),
    ("Hamburg", "DE", "20095"),
    ("München", "DE", "80331"),
    ("Köln", "DE", "50667"),
    ("Leipzig", "DE", "04109"),
    ("Freiburg", "DE", "79098"),
    ("Wien", "AT", "1010"),
    ("Graz", "AT", "8010"),
    ("Salzburg", "AT", "5020"),
    ("Zürich", "CH", "8001"),
    ("Basel", "CH", "4001"),
    ("Utrecht", "NL", "3511"),
)
PHONE_CODES = {"DE": "+49", "AT": "+43", "CH": "+41", "NL": "+31"}
MAIL_HOSTS = ("example.com", "example.net", "example.org", "mail.example", "post.example")
PUBLISHERS = _list(
    """
    Alder House, Amber Lantern, Blue Heron Books, Copper Quill, Driftwood Press, Eastgate,
    Fable & Fern, Foxglove, Granite Verlag, Halcyon, Inkwell Brothers, Juniper Editions,
    Kestrel, Lighthouse Row, Meridian, Nightingale, Old Harbour, Paper Boat, Quiet Hill,
    Redwood Lane, Silver Birch, Tidewater, Umber, Willow & Sons
    """
)
CATEGORIES: dict[str, tuple[str, ...]] = {
    "Fiction": ("Crime", "Literary fiction", "Science fiction", "Fantasy", "Romance"),
    "Non-fiction": ("History", "Science", "Politics", "Travel", "Cooking", "Biography"),
    "Children": ("Picture books", "First readers", "Young adult"),
    "Learning": ("Languages", "School books", "Computing"),
}
TITLE_STARTS = _list(
    """
    The Last, A Short History of, The Secret, Letters from, Beyond, Under, The Art of,
    The House of, Notes on, Winter in, The Silent, Children of, The Cartographer's, Songs of,
    A Field Guide to, The Lost, Return to, The Keeper of, Tomorrow's, An Atlas of
    """
)
TITLE_ENDS = _list(
    """
    Harbour, Bees, Glass, Rivers, Shadows, Bread, Mountains, Light, Orchard, Tides, Clockmaker,
    Garden, Stars, Railways, Salt, Numbers, Forest, Lanterns, Snow, Mapmaker, Islands, Coffee,
    Whales, Paper, Machines, Kites, Foxes, Music, Deserts, Mirrors
    """
)
REFERRERS = ("search", "friend", "newsletter", "fair", "shop")
CAMPAIGN_THEMES = _list(
    """
    Autumn crime week, Back to school, Book fair, Advent calendar, Winter reading, New year new
    language, Valentine, Spring cooking, World book day, Summer travel, Holiday thrillers, Young
    readers, Science month, Local authors
    """
)
