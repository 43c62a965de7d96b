"""The words around a name that say what it stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataspoke.search_service.parse.tokens import Token, word_set

_LINE_END = re.compile(r"\|\s+")


class _Node(dict[str, "_Node"]):
    """The words that may follow; `ends` says that a phrase may end here."""

    ends = False


class Phrases:
    """Sequences of words, found at a place, longest first.

    Written with `/` between phrases, `(a|b)` for a choice, `_` for a space inside a choice and `~`
    for nothing.
    """

    def __init__(self, text: str) -> None:
        self._root: _Node = _Node()
        for phrase in _LINE_END.sub("|", text).split("/"):
            for words in _spelt(phrase.split()):
                node = self._root
                for word in words:
                    node = node.setdefault(word, _Node())
                node.ends = True

    def match(self, tokens: Sequence[Token], at: int) -> int:
        """How many tokens from `at` on are such a phrase; 0 for none."""
        node, length = self._root, 0
        for end in range(at, len(tokens)):
            following = node.get(tokens[end].word)
            if following is None:
                break
            node = following
            if node.ends:
                length = end - at + 1
        return length


def _spelt(words: Sequence[str]) -> list[tuple[str, ...]]:
    """`(a|b) c` in all its readings."""
    readings: list[tuple[str, ...]] = [()]
    for word in words:
        choices = word.strip("()").split("|") if word.startswith("(") else [word]
        readings = [
            (*reading, *(choice.split("_") if choice != "~" else ()))
            for reading in readings
            for choice in choices
        ]
    return [reading for reading in readings if reading]


OWNED_BY = Phrases(
    """
    (owned|maintained|managed|curated|stewarded|run|governed|administered|kept|overseen|operated|
supervised|controlled|headed|published|provided|supported|supplied|produced|tended|championed) by
    / looked after by / taken care of by / cared for by / belonging to / (belongs|belong) to
    / under the (care|stewardship|ownership|responsibility|control|supervision) of / under
    / (the|~) (responsibility|property|possession) of / in the hands of / in the care of
    / (the|~) (owner|owners|steward|stewards|custodian|curator|maintainer|data_steward|data_owner)
      (is|are|being|:|=|named|called|of_which_is) / (owner|steward) / assigned to / whose
      (owner|steward|owners|stewards|custodian|curator|maintainer) (is|are|includes|include)
    / with owner / with (~|the) (owner|steward|owners|stewards) / ownership (by|of|:)
    / (has|have|having|lists|list) (~|as) (owner|steward) / in (charge|custody) of
    """
)
OWNS = Phrases(
    """
    (own|owns|owned|maintain|maintains|manage|manages|curate|curates|steward|stewards|govern|
governs|administer|administers|oversee|oversees|supervise|supervises|runs|operates|looks_after|
look_after|takes_care_of|take_care_of|keeps|owning|managing|maintaining|curating)
    / (is|are|am|~) (the|an|a|~) (responsible|accountable|answerable) for
    / (is|are) (responsible|accountable)
    / responsible for / accountable for / responsible / accountable / (is|are) in charge of
    / in charge of / has ownership of
    / (is|are) (the|an|a|~) (owner|owners|steward|stewards|custodian|maintainer|curator) of
    / (is|are) (the|an|a|~) (owner|steward|owners|stewards) (of|~)
    / (the|an|a) (owner|owners|steward|stewards) of
    / as (the|an|~|their|its|a|our) (owner|steward|owners|stewards|custodian)
    / (has|have) responsibility for / (has|have) stewardship of
    """
)
USED_BY = Phrases(
    """
    (used|consumed|queried|read|accessed|utilised|utilized|leveraged|needed|required|employed|
relied_on|relied_upon|depended_on|depended_upon|worked_with|exploited|requested|touched_daily|
counted_on|drawn_on|analysed|analyzed|favoured|favored|loved|downloaded|viewed|opened) by
    / in use (by|at|with) / popular (with|among|in) / (relied|depended|built|counted) upon by
    / (whose|with) (consumers|consumer|users|user|readers) (is|are|include|includes|~)
    / (consumer|consumers|users|readers) (is|are|include|includes|:) / serving / serves
    / consumers such as / of use to / useful to / important (to|for) / critical (to|for)
    / of interest to / with usage by / with queries (by|from) / having consumers
    """
)
USES = Phrases(
    """
    (use|uses|using|used|reading|consume|consumes|consuming|query|queries|querying|read|reads|
access|
accesses|utilise|utilises|utilize|utilizes|leverage|leverages|need|needs|require|requires)
    / (rely|relies|relied|relying|depend|depends|depended|depending|lean|leans|count|counts|draw|
draws) (on|upon) / (work|works|working) with / (make|makes) use of / (is|are) using
    / (is|are) (a|the|~) (consumer|consumers|user|users) of / (pull|pulls|read|reads) from
    / (is|are) (reading|querying|consuming|relying_on) / (look|looks) at
    """
)
TAGGED = Phrases(
    """
    (tagged|labelled|labeled|marked|flagged|classified|categorised|categorized|badged|annotated|
designated|rated|stamped) (as|with|by|~) (being|~)
    / with (~|the|a|an) (tag|label|tags|labels|badge|classification|marker|flag)
    / (has|have|having|carry|carries|carrying|bear|bears|bearing|get|wearing|wear|wears)
      (~|the|a|an) (tag|label|tags|labels|badge|classification|flag|marker)
    / (carry|carries|carrying|bear|bears|bearing) / (the|~) (tag|label|tags|labels) / status
    / considered / deemed / known to be / (the|~) (term|terms|glossary_term|business_term)
    / tagged / (linked|mapped|attached|associated) (to|with) (~|the) (~|term|glossary_term|
business_term)
    / under the (tag|label|term)
    """
)
HOLDING = Phrases(
    """
    with / containing / contain / contains / holding / hold / holds / (has|have|having) / including
    / include / includes / (store|stores|storing) / exposing / expose / exposes / (that|which)
      (are|is) / only / subject to / (affected|covered) by / involving / involve / involves / just
    / keeping / keep / keeps / featuring / (fall|falls|falling) under / relevant (to|for)
    / featured / carry
    """
)
LOCATED = Phrases(
    """
    (~|stored|held|kept|hosted|located|residing|living|sitting|sits|sit|lives|live|resides|reside|
saved|available|found|placed|deployed|running|run|persisted|housed|landing|landed|exist|existing|
exists|registered|is|are|lying|lies|lie|stays|staying|maintained|managed|stemming|coming|come|
comes|built|defined|published|served|catalogued|materialised|materialized|streamed)
      (in|on|at|within|inside|from|into|onto|across|under|over_in|over_on|inside_of|via|through)
    / of / for / belonging to / belongs to / belong to / part of / related to / relating to
    / (~|the) platform / platform (is|:|=)
    """
)
UPSTREAM = Phrases(
    """
    (~|that|which) (feed|feeds|feeding|fed|populate|populates|populating|drive|drives|driving|
power|powers|powering|back|backs|backing|underlie|underlies|underlying|underpin|underpins|
underpinning|supply|supplies|supplying|fuel|fuels|fuelling|fill|fills|filling|produce|produces|
producing|hydrate|hydrates|generate|generates|generating|build|builds|make_up|compose)
      (~|into|in|data_into|data_to|up)
    / (source|sources|source_tables|source_datasets|inputs|input|input_tables|origin|origins|
source_data|raw_data|source_table|input_datasets|source_systems) (of|for|to|behind)
    / (upstream|upstreams|upstream_tables|upstream_datasets|upstream_dependencies|
upstream_sources|upstream_lineage|upstream_inputs|upstream_assets) (of|from|for|to)
    / (flow|flows|flowing|goes|go|going|load|loads|loading|write|writes|writing|flows_data|
ingested|loaded|lead|leads|leading) (into|to)
    / behind / beneath / underneath / (ancestors|ancestor|parents|parent|provenance|lineage|
predecessors|precursors|feeders|dependencies|foundation|ingredients|building_blocks|suppliers)
      (of|for|to) / (is|are|being|~) used (in|to_build|to_make|to_create|to_compute|to_produce|
to_populate|to_calculate|to_derive|to_feed|for_building|as_input_for|as_input_to|as_inputs_to|
as_source_for|as_a_source_for|as_sources_for) / (visualised|visualized|shown|displayed|reported|
surfaced|charted|plotted) (in|on|by) / (contribute|contributes|contributing) to
    """
)
DOWNSTREAM = Phrases(
    """
    (derived|built|computed|calculated|created|generated|made|produced|populated|sourced|loaded|
transformed|aggregated|fed|assembled|compiled|materialised|materialized|modelled|modeled|formed|
stemming|originating|coming|comes|come|stem|stems|originate|originates|reading|reads|read|pulls|
pull|pulling|draws|draw|drawing|inherits|inheriting|copied|drawn|constructed|descending|descended|
descend|descends|resulting|result|born)
      (from|off|off_of|out_of|using|on_top_of|upon)
    / (built|based|depend|depends|depending|dependent|reliant|rely|relies|relying|resting|rests|
founded|building|builds|sit|sits|sitting) (on|upon|on_top_of)
    / (fed|powered|driven|backed|populated|fuelled|supplied|impacted|affected|hit|hurt|broken|
influenced|touched) (by|with|if|when)
    / (downstream|downstreams|downstream_tables|downstream_datasets|downstream_dependencies|
downstream_consumers|downstream_dependents|downstream_assets|downstream_lineage|downstream_users)
      (of|from|for|to)
    / (children|descendants|dependents|dependants|consumers|derivatives|successors|offspring|child|
users|outputs|output|products|derivations) of / (impact|effect|effects|consequences|blast_radius|
impact_analysis|ramifications) (of|for|on|if|when) (~|changing|changes_to|changes_in|dropping|
a_change_in|a_change_to|modifying|deleting|removing|altering|breaking|an_outage_of)
    / (affected|impacted|hit|broken) by (a|any|the|~) (change|changes|outage|problem|failure|bug|
issue) (to|in|of|with|on)
    / (breaks|break|broken|affected|impacted|fails|fail|suffers|suffer|happens|stops_working|
stop_working|goes_wrong|go_wrong|would_break|will_break) (if|when|once|should|by) (~|we|i|someone|
somebody|you|they) (~|change|drop|delete|modify|remove|alter|touch|rename|changes_to|changing|
break) / (use|uses|using|consume|consumes|consuming|reference|references|referencing|leverage|
leverages|join|joins|query|queries|querying)
    / (follow|follows|come|comes) after / if (we|i|you|someone|~) (change|drop|delete|modify|remove|
alter|touch|rename|~)
    """
)
FLIPPED_UPSTREAM = Phrases(
    """
    (upstream|upstreams|sources|source|inputs|input|ancestors|parents|dependencies|lineage|
provenance|feeders|predecessors|upstream_tables|upstream_datasets|source_tables|origins)
    """
)
FLIPPED_DOWNSTREAM = Phrases(
    """
    (downstream|downstreams|dependents|dependants|consumers|children|descendants|derivatives|
impact|outputs|downstream_tables|downstream_datasets|successors)
    / (used|change|changes|changed|break|breaks|fail|fails|failed|goes_down|is_late|is_dropped|
is_deleted|is_changed|were_dropped|disappears|is_wrong|is_broken|is_removed|went_away|is_delayed|
stops|gets_dropped|gets_changed|were_to_change|was_dropped|was_deleted|goes_away|is_modified)
    """
)
EVERY_HOP = Phrases(
    """
    everything (upstream|downstream) / (all|entire|whole|complete|full) (upstream|downstream|
upstreams|downstreams|ancestors|descendants|lineage) / directly or indirectly / (transitively|
indirectly|ultimately|recursively|eventually) / (at|on) (any|every) (level|depth|hop|distance)
    / end to end / any number of hops / (direct|directly) and (indirect|indirectly)
    / (direct|directly) or (indirect|indirectly) / all the way (up|down|~)
    """
)
NOT = Phrases(
    """
    not / non / without (any|~) / excluding / exclude / excludes / (everything|anything|all|~)
      except (for|those|the_ones|~) (~|from|in|on|with|tagged|owned_by) / other than / apart from
    / aside from / minus / ignoring / ignore / (leave|leaving) out / rather than / nor / neither
    / outside (of|~) / (everything|anything|all|anywhere|everywhere) but / but no / no
    / (aren't|isn't|don't|doesn't|
can't|won't|hasn't|haven't|wasn't|weren't|didn't|cannot|arent|isnt|dont|doesnt|never)
    / with the exception of / nothing (from|in|on|with|~) / anywhere other than
    / (skip|skipping|omit|omitting|drop|dropping|filter_out|filtering_out|sans|barring|save_for|
bar|beyond|free_of|free_from|devoid_of|instead_of|as_opposed_to|lacking|lack|lacks)
    / (no|not) longer
    """
)
LEFT_OUT = Phrases(
    "excluded / (is|are) excluded / aside / left out / free / (are|is) (out|not) / apart / ignored"
    " / omitted / are left out"
)
NONE_OF = Phrases(
    """
    (without|lacking|lack|lacks|missing|miss|no|sans|need|needs|needing|devoid_of|free_of|
in_need_of|
with_neither|have_neither|has_neither|having_neither|neither|short_of|in_search_of|still_without|
waiting_for|looking_for)
      (~|a|an|any|the|its|their|some|proper|assigned|registered|known|defined|clear)
      (~|assigned|registered|known|defined|designated|named|documented|data|kind_of|sort_of|
business|proper|clear|responsible|human|formal|single|current|glossary)
    / (that|which|who|~) (have|has|having|had|with|got|show|shows|carry|carries|list|lists)
      (no|zero|not_any|not_a|not_an|nobody_as) (~|assigned|registered|known|defined|designated|
named|proper|clear|data|kind_of|business|single|glossary)
    / (don't|doesn't|do_not|does_not|didn't|never|dont|doesnt|haven't|hasn't|still_don't)
      (have|has|carry|possess|show|list|got|~) (~|a|an|any|the|its|their|an_assigned|a_known)
      (~|assigned|registered|known|defined|data|glossary|proper)
    / (not_assigned_to|not_in|outside|outside_of|not_part_of|not_attached_to|not_linked_to|
not_belonging_to|do_not_belong_to|does_not_belong_to|don't_belong_to|doesn't_belong_to|aren't_in|
isn't_in|aren't_part_of|unassigned_to|not_under|belonging_to_no|in_no|assigned_to_no|part_of_no)
      (a|an|any|~) / with nobody as
    """
)
SOME_OF = Phrases(
    "(with|that_have|that_has|having|which_have|which_has) (a|an|any|some|at_least_one)"
    " (~|assigned|known)"
)
GONE = Phrases(
    "(is|are|~) (missing|absent|unknown|lacking|empty|unset|unassigned|undefined|blank|not_set"
    "|not_known|not_assigned|not_defined|not_specified|not_there|not_filled_in)"
    " / (is|are) (none|null)"
)
NOBODY = {
    "owner": Phrases(
        """
        unowned / ownerless / owner less / orphaned / orphan / orphans / (nobody|no_one|noone|
no_team|no_person|not_anyone|no_group|not_a_soul) (owns|own|is_responsible_for|maintains|curates|
takes_care_of|looks_after|is_in_charge_of|manages|stewards|feels_responsible_for|claims|
takes_responsibility_for|is_accountable_for|has_claimed|is_responsible)
        / (not|aren't|isn't|never) (owned|maintained|looked_after|managed|curated|stewarded|claimed)
          (by|~) (anyone|anybody|any_team|any_group|any_person|a_team|someone|somebody)
        / (owned|maintained|managed|curated|stewarded|looked_after) by (nobody|no_one|noone|no_team)
        / not owned / with (nobody|no_one|noone) in charge / (nobody|no_one) in charge
    / unmaintained / up for grabs / unclaimed / steward less
        """
    ),
    "description": Phrases(
        "undocumented / undescribed / (not|never|n't|aren't|isn't) (documented|described|explained)"
        " / nobody (described|documented|has_described|has_documented) / un documented"
    ),
    "tag": Phrases(
        "untagged / unlabelled / unlabeled / (not|never|aren't|isn't) (tagged|labelled|labeled)"
        " (at_all|with_anything|yet)"
    ),
    "consumer": Phrases(
        """
        unused / (nobody|no_one|noone|no_team|not_anyone) (uses|queries|reads|consumes|relies_on|
accesses|needs|ever_uses|is_using|depends_on|looks_at)
        / (not|never|aren't|isn't) (used|queried|read|consumed|accessed|relied_on)
          (by|~) (anyone|anybody|any_team|any_group|at_all)
        / (used|consumed|queried|read) by (nobody|no_one|noone|no_team)
        """
    ),
    "domain": Phrases("domainless / domain less / (not|aren't|isn't) in (any|a) domain"),
    "term": Phrases("unclassified"),
    "upstream": Phrases("without (any|~) lineage / (with|have|has) no (lineage|upstream_lineage)"),
}
FIELD_NOUNS = {
    "owner": Phrases(
        "(owner|owners|steward|stewards|custodian|custodians|maintainer|maintainers|curator|"
        "curators|ownership|data_owner|data_steward|data_owners|data_stewards|responsible_person|"
        "responsible_party|responsible_team|point_of_contact|contact_person|caretaker|stewardship|"
        "owning_team|owner_assigned|person_in_charge|team_in_charge|accountable_person)"
    ),
    "domain": Phrases("(domain|domains|business_domain|data_domain|business_area)"),
    "description": Phrases(
        "(description|descriptions|documentation|docs|explanation|comment|definition|doc|readme)"
    ),
    "tag": Phrases("(tag|tags|label|labels|tagging)"),
    "term": Phrases(
        "(glossary_term|glossary_terms|term|terms|business_term|business_terms|business_glossary)"
    ),
    "consumer": Phrases("(consumer|consumers|users|usage|readers|known_consumers|queries)"),
    "upstream": Phrases("(upstream|upstreams|sources|upstream_lineage|parents|upstream_tables)"),
    "platform": Phrases("(platform)"),
    "container": Phrases("(container|database|schema)"),
}
KIND_NOUNS = {
    "domain": Phrases(
        "(domain|domains|area|business_area|data_domain|business_domain|subject_area|realm)"
    ),
    "platform": Phrases(
        "(platform|platforms|warehouse|instance|cluster|data_warehouse|instances|broker|engine)"
    ),
    "container": Phrases(
        "(database|databases|schema|schemas|db|catalog|catalogue|container|folder|keyspace)"
    ),
    "env": Phrases("(environment|environments|env)"),
    "tag": Phrases("(tag|tags|label|labels|badge|flag|marker|classification)"),
    "term": Phrases("(glossary_term|term|business_term|glossary_terms|terms)"),
}
GROUP_NOUNS = word_set(
    "team teams folks folk group groups people department departments dept guys crew squad org "
    "organisation organization unit colleagues analysts staff division function office side "
    "engineers scientists users stakeholders colleague community desk ppl lot tribe chapter "
    "business"
)
"""Said after the name of a group, and of no weight."""

ARTICLES = word_set(
    "the a an our my their any some all of either both those these that this such named called data"
)
ADVERBS = word_set(
    "currently mostly heavily actively mainly primarily regularly often frequently still also "
    "really actually ever officially mainly largely usually routinely now today already formally "
    "chiefly predominantly exclusively directly daily fully explicitly yet jointly has have had "
    "been being is are was were do does did can could might may would will get gets"
)
DOWNSTREAM_STEMS = Phrases(
    """(depend|depends|rely|relies|based|built|dependent) (on|upon)
    / (get|gets|draw|draws|take|takes|
pull|pulls|receive|receives|source|sources) (~|its|their) (data|inputs|input|content|records|rows)
    from / (its|their) (data|inputs|input|content|records|rows) from / (derived|made|computed|built|
come|comes|sourced|fed|calculated|created|populated|loaded) (from|by|of)"""
)
DEPRECATED = word_set("deprecated obsolete retired sunset decommissioned discontinued")
