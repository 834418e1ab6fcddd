# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants between the button and the disk: acknowledging, routing, counting, keeping. Caught in simulated days."""

from alertd_simulator.world.plan import BrokerDrops, BrokerTricks, Crash, DiskFull, SlowDisk
from mutation.mutant import Edit, Mutant, Seeds

TRIGGERS = "adapters/alertd_adapters/mqtt/trigger_session.py"
INTAKE = "alertd/daemon/intake.py"
ROUTING = "alertd/engine/routing.py"
GESTURES = "alertd/engine/gestures.py"

RECONNECTS = (
    SlowDisk(at_s=100, lasts_s=1_000, commit_s=6),
    BrokerDrops(at_s=100, times=250, every_s=4),
    BrokerTricks(at_s=100, lasts_s=1_000, jitter_s=0.5),
)
"""Connections that are lost while commits are under way. On a stated day a slow disk and a bad line seldom meet."""
DIES_WITH_A_FULL_DISK = (DiskFull(at_s=100, lasts_s=400), Crash(at_s=300), Crash(at_s=400))
"""What stands in for the disk outlives the process; on a stated day it seldom has to."""

ARRIVING = (
    Mutant(
        name="PUBACK before commit",
        edits=(
            Edit(
                file=TRIGGERS,
                old="        try:\n            await committed\n        except Exception as error:  # noqa: BLE001  # what",
                new="        try:\n            self._ack(connection, message)\n            await committed\n"
                "        except Exception as error:  # noqa: BLE001  # what",
            ),
        ),
        by=Seeds(trips=("acknowledged press",)),
    ),
    Mutant(
        name="stale ack after a reconnect",
        edits=(
            Edit(
                file=TRIGGERS,
                old="connection is self._live and message.qos > 0 and connection.ack(message)\n",
                new="self._live is not None and message.qos > 0 and self._live.ack(message)\n",
            ),
        ),
        by=Seeds(plus=RECONNECTS, trips=("acknowledged press",)),
    ),
    Mutant(
        name="presses without a counter are told apart by their content",
        edits=(
            Edit(
                file=ROUTING,
                old="derive(what, arrival.source, signal.device_id, arrival.arrival_id, index)",
                new="derive(what, arrival.source, signal.device_id, signal.action, index)",
            ),
        ),
        by=Seeds(trips=("acknowledged press",)),
    ),
    Mutant(
        name="eight presses mean what three mean",
        edits=(
            Edit(
                file="alertd/engine/gestures.py",
                old="[certainly[-1] if certainly else reached[0]]",
                new="[reached[0]]",
            ),
        ),
        by=Seeds(trips=("acknowledged press",)),
    ),
    Mutant(
        name="poison swallowed",
        edits=(
            Edit(
                file=INTAKE,
                old="            committed = self._quarantine(event, registry, error)\n",
                new="            committed = Committed(decisions=(), claims=(), leased_us=0)\n",
            ),
        ),
        by=Seeds(needs=("poison:decide",), trips=("acknowledged press",)),
    ),
    Mutant(
        name="poison is refused for ever",
        edits=(
            Edit(
                file=INTAKE,
                old="            committed = self._quarantine(event, registry, error)\n",
                new="            raise\n",
            ),
        ),
        by=Seeds(needs=("poison:decide",), trips=("broker drains",)),
    ),
    Mutant(
        name="poison ends the process, again and again",
        edits=(
            Edit(
                file=INTAKE,
                old='            log.warning("batch_failed", events=len(events), error=_named(error))\n',
                new="            if not isinstance(error, StoreError):\n"
                "                raise StoreGoneError(_named(error)) from error\n",
            ),
        ),
        by=Seeds(needs=("poison:decide",), trips=("daemon is up",)),
    ),
    Mutant(
        name="nonsense is never acknowledged",
        edits=(
            Edit(
                file=TRIGGERS,
                old='            self._door.observe(self._options.name, "refused")\n',
                new="            self._slots.release()\n            return\n",
            ),
        ),
        by=Seeds(needs=("poison:garbage", "poison:huge", "poison:deep", "poison:empty"), trips=("broker drains",)),
    ),
    Mutant(
        name="each press takes one of the twenty places for good",
        edits=(
            Edit(
                file=TRIGGERS,
                old="        finally:\n            self._slots.release()\n",
                new="        finally:\n            pass\n",
            ),
            Edit(
                file=TRIGGERS,
                old="asyncio.Semaphore(options.max_unacked)",
                new="asyncio.Semaphore(20)",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("arrived press",)),
    ),
    Mutant(
        name="acknowledged though only memory holds it",
        edits=(
            Edit(
                file=INTAKE,
                old="            elif settled.durable or not submission.from_source:\n",
                new="            elif True:\n",
            ),
        ),
        by=Seeds(needs=("disk_full", "disk_fails"), trips=("withheld acknowledgement",)),
    ),
    Mutant(
        name="roaming badge at its home site",
        edits=(
            Edit(
                file="alertd/engine/hearing.py",
                old="    return (*found, home) if may_be_home else found\n",
                new="    return (home,)\n",
            ),
        ),
        by=Seeds(trips=("one site",)),
    ),
    Mutant(
        name="merge across sites",
        edits=(
            Edit(
                file="alertd/engine/hearing.py",
                old="    home = Spot(site_id=device.site_id, gateway_id=signal.heard_by)\n",
                new='    home = Spot(site_id=min(site for site in registry.sites if site != "district"), gateway_id=signal.heard_by)\n',
            ),
        ),
        cheap=True,
        by=Seeds(trips=("one site",)),
    ),
    Mutant(
        name="what memory held is thrown away when the disk is back",
        edits=(
            Edit(
                file="alertd/store/fallback.py",
                old="            transfer.merge(self._disk.connection, self._spare.path)\n",
                new="            pass\n",
            ),
        ),
        by=Seeds(needs=("disk_full", "disk_fails"), trips=("survival",)),
    ),
    Mutant(
        name="what memory held is forgotten by the next incarnation",
        edits=(
            Edit(
                file="alertd/store/fallback.py",
                old="        if self._spare.path.exists():  # an earlier",
                new="        if self._spare.path.exists() and self._owner is None:  # an earlier",
            ),
        ),
        by=Seeds(plus=DIES_WITH_A_FULL_DISK, trips=("survival",)),
    ),
    Mutant(
        name="entries of the journal do not stand on each other",
        edits=(
            Edit(
                file="alertd/store/journal.py",
                old="    link = (site_id, sequence, at_us, entry.kind.value, entry.incident_id, entry.notification_id, reason, payload_hash)\n    digest = chain_hash(head.hash, link)\n",
                new="    link = (site_id, sequence, at_us, entry.kind.value, entry.incident_id, entry.notification_id, reason, payload_hash)\n    digest = chain_hash(payload_hash, link)\n",
            ),
        ),
        by=Seeds(trips=("journal verifies",)),
    ),
)
