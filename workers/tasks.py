"""Every task: a row number in, one service call out. Names are the members of `Job`."""

from __future__ import annotations

from celery import shared_task

from ew_app import outbox
from ew_app.outbox import Job
from ew_app.services.casework import catching_up, handing_out, visit_alarm
from ew_app.services.deciding import flagging, simulating
from ew_app.services.deliveries import ingest
from ew_app.services.notices import mails
from ew_app.services.risk import scoring, training
from ew_app.services.sources import clearing, lining_up, pulling
from ew_app.services.system import quality, schedule, upkeep
from ew_app.services.watching import clusters, goal_counts, publishing, rhythm, telling


@shared_task(name=Job.LOAD_BATCH.value)
def load_batch(number: int) -> None:
    """Read, check and apply one delivery; then it is the turn of the next from the same source."""
    outbox.perform(Job.LOAD_BATCH, number, lining_up.load)


@shared_task(name=Job.UNDO_BATCH.value)
def undo_batch(number: int) -> None:
    """Take one delivery back as a unit."""
    outbox.perform(Job.UNDO_BATCH, number, ingest.undo)


@shared_task(name=Job.EVALUATE.value)
def evaluate(number: int) -> None:
    """Measure and decide for the students whose rows changed."""
    outbox.perform(Job.EVALUATE, number, flagging.evaluate)


@shared_task(name=Job.FOLLOW.value)
def follow(number: int) -> None:
    """Bring the cases of one student in step who was left before."""
    outbox.perform(Job.FOLLOW, number, catching_up.follow_left)


@shared_task(name=Job.HAND_OUT.value)
def hand_out(number: int) -> None:
    """Look for somebody for the work that nobody has."""
    outbox.perform(Job.HAND_OUT, number, handing_out.hand_out)


@shared_task(name=Job.SIMULATE.value)
def simulate(number: int) -> None:
    """Try a policy on one slice of the students."""
    outbox.perform(Job.SIMULATE, number, simulating.work)


@shared_task(name=Job.PULL.value, **outbox.LONG)
def pull(number: int) -> None:
    """Look at one source and take in what is new."""
    outbox.perform(Job.PULL, number, pulling.pull)


@shared_task(name=Job.CLEAR_AWAY.value)
def clear_away(number: int) -> None:
    """Move files of a source that were settled out of the way."""
    outbox.perform(Job.CLEAR_AWAY, number, clearing.clear_away)


@shared_task(name=Job.NIGHTLY.value)
def nightly(number: int) -> None:
    """What a school day's end asks for: uploads that nobody let in, and the full evaluation."""
    outbox.perform(Job.NIGHTLY, number, upkeep.nightly)


@shared_task(name=Job.CHECK_QUALITY.value)
def check_quality(number: int) -> None:
    """Look through the records for mistakes."""
    outbox.perform(Job.CHECK_QUALITY, number, quality.look)


@shared_task(name=Job.TELL_REVIEWS.value)
def tell_reviews(number: int) -> None:
    """Tell whose reviews are due."""
    outbox.perform(Job.TELL_REVIEWS, number, rhythm.tell_of_late)


@shared_task(name=Job.FIND_CLUSTERS.value)
def find_clusters(number: int) -> None:
    """Look for groups of which many are away at once."""
    outbox.perform(Job.FIND_CLUSTERS, number, clusters.look)


@shared_task(name=Job.COUNT_GOAL.value)
def count_goal(number: int) -> None:
    """Count what a school brings to a goal."""
    outbox.perform(Job.COUNT_GOAL, number, goal_counts.count)


@shared_task(name=Job.SUM_UP.value)
def sum_up(number: int) -> None:
    """Prepare the public summary."""
    outbox.perform(Job.SUM_UP, number, publishing.sum_up)


@shared_task(name=Job.TELL_PARTS.value)
def tell_parts(number: int) -> None:
    """Tell the month's tables of a network and its schools, or of the district."""
    outbox.perform(Job.TELL_PARTS, number, telling.tell)


@shared_task(name=Job.TRAIN_RISK.value, **outbox.LONG)
def train_risk(number: int) -> None:
    """Do one slice of a risk model's training."""
    outbox.perform(Job.TRAIN_RISK, number, training.work)


@shared_task(name=Job.SCORE_RISK.value)
def score_risk(number: int) -> None:
    """Ask the risk model about everybody, as the evening left them."""
    outbox.perform(Job.SCORE_RISK, number, scoring.score)


@shared_task(name=Job.SEND_MAIL.value)
def send_mail(number: int) -> None:
    """Hand one e-mail to the mail server."""
    outbox.perform(Job.SEND_MAIL, number, mails.send)


@shared_task(name=Job.VISIT_LATE.value)
def visit_late(number: int) -> None:
    """Tell that two people are not back from a visit."""
    outbox.perform(Job.VISIT_LATE, number, visit_alarm.give)


@shared_task(name=Job.SWEEP.value)
def sweep() -> None:
    """Send again what the broker lost; a sign of life of worker and schedule."""
    schedule.sweep()


@shared_task(name=Job.TICK.value)
def tick() -> None:
    """Start the daily jobs whose local time has come."""
    schedule.tick()
