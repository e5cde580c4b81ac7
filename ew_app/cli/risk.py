"""The optional risk model: have one made, read its card, let it work, switch it off, leave a student out."""

from __future__ import annotations

import click

from ew_app.cli import output
from ew_app.cli.options import acting, as_option
from ew_app.cli.output import as_json_flag
from ew_app.cli.runtime import Runtime, runtime
from ew_app.kernel import NotFound, Refused, day_text
from ew_app.services.risk import afterwards, answers, lives, report, report_lines, scoring, standing, training
from models.queries import naming
from rules.counting import many


@click.group("risk")
def risk_group() -> None:
    """The optional model that orders lists within a tier. Off until two people agree; rules stay in charge."""


@risk_group.command("train")
@click.option("--queued", is_flag=True, help="Ask the worker for it and return at once.")
@click.option("--stop", is_flag=True, help="Give the training that is under way up.")
@as_option
@as_json_flag
@runtime
def train(run: Runtime, queued: bool, stop: bool, login: str | None, as_json: bool) -> None:
    """Make a model from past school years and try it on years it has not seen. Nobody sees what it says."""
    with run.app():
        by, going = acting(login), training.under_way()
        if stop:
            if going is None:
                raise Refused("No model is being made.")
            training.stop(going.id, by=by)
            click.echo(f"Model {going.id} was given up.")
            return
        number = going.id if going is not None and not queued else training.ask(by=by, queued=queued)
        if not queued:
            training.go_on(number, output.on_terminal())
        told = report.short(number, by=by)
        if as_json:
            output.json_object(told)
        else:
            for line in report_lines.short_lines(told):
                click.echo(line)
        if told["status"] == "refused":
            raise click.exceptions.Exit(1)


@risk_group.command("report")
@click.option("--model", "number", type=int, help="Of this model (default: the one at work, else the newest).")
@click.option("--year", type=int, help="Instead: what came of a finished school year; 2026 for 2026-27.")
@as_option
@as_json_flag
@runtime
def show(run: Runtime, number: int | None, year: int | None, login: str | None, as_json: bool) -> None:
    """Print the card of a model: what it was made from, how well it did beside the rules, for whom, and its limits."""
    with run.app():
        if year is not None:
            told = afterwards.year(year, by=acting(login))
            if as_json:
                output.json_object(told)
                return
            for line in report_lines.year_lines(told):
                click.echo(line)
            return
        card = report.card(number, by=acting(login))
        if as_json:
            output.json_object(card)
            return
        for line in report_lines.lines(card):
            click.echo(line)


@risk_group.command("promote")
@click.option("--model", "number", type=int, help="This model (default: the newest of the school year).")
@click.option("--purpose", required=True, help="What it is to be used for; kept with it.")
@as_option
@as_json_flag
@runtime
def promote(run: Runtime, number: int | None, purpose: str, login: str | None, as_json: bool) -> None:
    """Take a model one step further: on trial, then one agreement, then a second person's, with which it works."""
    with run.app():
        by = acting(login)
        model = lives.promote(purpose=purpose, by=by, number=number)
        if as_json:
            output.json_object(report.short(model.id, by=by))
            return
        if model.stage == "serving":
            click.echo(f"Model {model.id} orders lists within a tier from now on.")
        elif standing.agreed(model):
            click.echo(f"You agreed to model {model.id}. It works when somebody else who may has agreed as well.")
        else:
            click.echo(f"Model {model.id} is on trial. Nobody sees what it says.")


@risk_group.command("score")
@as_option
@runtime
def score(run: Runtime, login: str | None) -> None:
    """Ask the models on trial or at work about everybody now, as every school night does."""
    with run.app():
        for night in scoring.score_now(by=acting(login)):
            told = f"{many(night.scored, 'score')}, and {many(night.abstained, 'student')} of whom it says nothing"
            why = f"{night.outcome}. {' '.join(night.reasons)}"
            click.echo(f"Model {night.model_id}, {day_text(night.day)}: {told if night.outcome == 'scored' else why}")


@risk_group.command("off")
@click.option("--reason", required=True, help="Why; kept with the model.")
@as_option
@runtime
def off(run: Runtime, reason: str, login: str | None) -> None:
    """Switch the model off at once; what it said of students goes."""
    with run.app():
        stopped = lives.switch_off(reason=reason, by=acting(login))
        click.echo("The risk model is off." if stopped else "No risk model was at work or on trial.")


@risk_group.command("exclude")
@click.argument("student")
@click.option("--reason", default="", help="Who asked for it, or why.")
@click.option("--again", is_flag=True, help="Let the model see the student again.")
@as_option
@runtime
def exclude(run: Runtime, student: str, reason: str, again: bool, login: str | None) -> None:
    """Leave a student out of the model: it neither learns from their marks nor says anything of them."""
    with run.app():
        number = naming.student_id(student)
        if number is None:
            raise NotFound(f"There is no student {student}.")
        if again:
            answers.take_in(number, by=acting(login))
            click.echo(f"The model sees {student} again from the next evening on.")
            return
        answers.leave_out(number, reason=reason, by=acting(login))
        click.echo(f"The model leaves {student} out. The rules still apply.")


@risk_group.command("record")
@click.argument("student")
@click.option("--delete", is_flag=True, help="Delete scores and answers.")
@click.option("--reason", default="", help="Why it is deleted.")
@as_option
@runtime
def record(run: Runtime, student: str, delete: bool, reason: str, login: str | None) -> None:
    """Print what any model keeps of one student, as JSON: part of the record that a family may ask for."""
    with run.app():
        by = acting(login)
        if delete:
            gone = answers.delete_record(student, reason=reason, by=by)
            click.echo(f"{gone} rows about {student} were deleted.")
            return
        output.json_object(answers.record_of(student, by=by))


COMMANDS = [risk_group]
