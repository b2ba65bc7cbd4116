"""`{XDAT_USER_ID}` in a question becomes the number of who asks, before anything is resolved.

Source  protocol/search-and-types.md 2.2
"""

from __future__ import annotations

from dataclasses import replace

from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchQuery, SortBy

USER_ID = "{XDAT_USER_ID}"


def fill_user(query: SearchQuery, user_id: int) -> SearchQuery:
    """The question with the user's number in the names and values of its fields."""
    fields = tuple(replace(f, ref=_ref(f.ref, user_id), value=_text(f.value, user_id)) for f in query.fields)
    sort_by = query.sort_by and SortBy(_ref(query.sort_by.ref, user_id), query.sort_by.order)
    return replace(query, fields=fields, where=_set(query.where, user_id), sort_by=sort_by)


def _set(criteria: CriteriaSet, user_id: int) -> CriteriaSet:
    members = tuple(
        _criterion(one, user_id) if isinstance(one, Criterion) else _set(one, user_id)
        for one in criteria.members
    )
    return replace(criteria, members=members)


def _criterion(criterion: Criterion, user_id: int) -> Criterion:
    return replace(criterion, ref=_ref(criterion.ref, user_id))


def _ref(ref: FieldRef, user_id: int) -> FieldRef:
    return replace(ref, name=_text(ref.name, user_id))


def _text(text: str, user_id: int) -> str:
    return text.replace(USER_ID, str(user_id))
