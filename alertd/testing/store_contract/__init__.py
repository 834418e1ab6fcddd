"""What every store must keep, as one test class. Ours and a third party's run the same.

Subclass `StoreContract` in a test module and give it a fixture `make_store`: a function without arguments that returns
a new store, not opened, on this test's database (always the same one), with leases of `LEASE_S`. Set `shared` if
several nodes may hold the database open at once. Assertions name the promise that breaks.

Each part owns its matter and knows no other; together they are the contract, and no store keeps it by halves.
"""

from alertd.testing.store_contract.claims import Claims
from alertd.testing.store_contract.clocks import Clocks
from alertd.testing.store_contract.commits import Commits
from alertd.testing.store_contract.evidence import Evidence
from alertd.testing.store_contract.refusals import Refusals
from alertd.testing.store_contract.replies import Replies
from alertd.testing.store_contract.standing import Standing
from alertd.testing.store_contract.withdrawals import Withdrawals
from alertd.testing.store_contract.world import LEASE_S, MakeStore, World


class StoreContract(Evidence, Replies, Standing, Withdrawals, Clocks, Refusals, Claims, Commits):
    """See the module. Pytest runs the last part first: what was committed is there."""


__all__ = ["LEASE_S", "MakeStore", "StoreContract", "World"]
