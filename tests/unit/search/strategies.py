"""Questions made at random, for the tests that a spelling is read back as it was written."""

from __future__ import annotations

from hypothesis import strategies as st

from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery, SortBy

ROOT = "nt:scores"

# pyxnat's constraints have no spelling for `*`; control characters are no part of XML.
texts = st.text(
    st.characters(max_codepoint=0x2FF, exclude_characters="*", exclude_categories=("Cc", "Cs")), max_size=8
).filter(lambda text: text.strip() == text)
refs = st.sampled_from(
    ["NEO_NEOFAC_A", "NEO/NEOFAC_A", "FILE_COUNT=T1w", "odd name", "tick`ed", "sharing/share/project"]
).map(lambda name: FieldRef(ROOT, name)) | st.just(FieldRef("xnat:subjectData", "GENDER"))
lists = st.lists(texts.filter(bool), min_size=1, max_size=3).map(
    lambda parts: ", ".join("'" + part.replace("'", "''") + "'" for part in parts)
)
conditions = st.one_of(
    st.builds(Criterion, refs, st.sampled_from(["=", "!=", "<", ">=", "LIKE", "NOT LIKE"]), texts),
    st.builds(Criterion, refs, st.sampled_from(["IS NULL", "IS NOT NULL"])),
    st.builds(Criterion, refs, st.sampled_from(["IN", "NOT IN"]), lists),
    st.builds(
        lambda ref, low, high: Criterion(ref, "BETWEEN", f"{low} AND {high}"),
        refs,
        st.integers(),
        st.integers(),
    ),
)


def _sets(members: st.SearchStrategy[Criterion | CriteriaSet]) -> st.SearchStrategy[CriteriaSet]:
    return st.builds(
        CriteriaSet, st.sampled_from(["AND", "OR"]), st.lists(members, min_size=2, max_size=3).map(tuple)
    )


# Sets of two and more: a set of one is the same as its member, and expressions write it so.
criteria = _sets(st.recursive(conditions, _sets, max_leaves=8))

names = texts.filter(bool)
fields = st.builds(
    SearchField, refs, names, texts, st.booleans(), st.sampled_from(["string", "integer", "None"])
)
# Whole documents, with everything that a saved one says.
questions = st.builds(
    SearchQuery,
    st.just(ROOT),
    st.lists(fields, max_size=3).map(tuple),
    criteria | st.just(CriteriaSet()),
    st.none() | st.builds(SortBy, refs),
    names,
    texts,
    texts,
    texts,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "1"]),
    st.lists(names, max_size=3, unique=True).map(tuple),
    st.lists(names, max_size=3, unique=True).map(tuple),
)
