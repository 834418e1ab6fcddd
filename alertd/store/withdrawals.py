"""What a decision takes back of what waits: a statement for rows that are stored, a test for those that are not yet.

Both must say the same.
"""

from alertd.model.decision import Withdrawal
from alertd.model.ids import SiteId
from alertd.model.notification import AFTER_CLOSE, Notification
from alertd.store import sql
from alertd.store.sql import Row


def statement_of(site_id: SiteId, withdrawal: Withdrawal) -> tuple[str, list[Row]]:
    """For rows that are stored and wait."""
    reason, kind = withdrawal.reason.value, withdrawal.kind
    if withdrawal.mode is not None:
        spared = withdrawal.but.value if withdrawal.but is not None else ""
        return sql.WITHDRAW_MODE_OF_SITE, [(reason, site_id, withdrawal.mode.value, spared)]
    if withdrawal.endpoint_key is not None:
        assert withdrawal.incident_id is not None, "an endpoint is left alone for the sake of one incident"
        return sql.WITHDRAW_ENDPOINT, [(reason, withdrawal.incident_id, withdrawal.endpoint_key)]
    if kind is None:
        assert withdrawal.incident_id is not None, "only of one kind is everything of a site withdrawn"
        return sql.WITHDRAW, [(reason, withdrawal.incident_id)]
    if withdrawal.incident_id is None:
        return sql.WITHDRAW_KIND_OF_SITE, [(reason, site_id, kind.value)]
    return sql.WITHDRAW_KIND, [(reason, withdrawal.incident_id, kind.value)]


def takes_back(site_id: SiteId, withdrawal: Withdrawal, content: Notification) -> bool:
    """What the statement says, for rows that are not in the database yet."""
    if withdrawal.mode is not None:
        return content.site_id == site_id and content.mode is withdrawal.mode and content.kind is not withdrawal.but
    if withdrawal.incident_id is None:
        return content.site_id == site_id and content.kind is withdrawal.kind
    if content.incident_id != withdrawal.incident_id:
        return False
    if withdrawal.endpoint_key is not None and content.endpoint.key != withdrawal.endpoint_key:
        return False
    return content.kind not in AFTER_CLOSE if withdrawal.kind is None else content.kind is withdrawal.kind
