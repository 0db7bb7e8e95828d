"""The list of what is due, as the page says it."""

from dataclasses import replace
from datetime import date

from gapsvc.evaluation.actions import Action, ActionKind, Urgency, Wish
from gapsvc.evaluation.result import Outlook
from gapsvc.web.due import Reason, Todo, due

AS_OF = date(2026, 11, 22)


def action(text: str, urgency: Urgency, when: str, last_day: date | None = None) -> Action:
    wish = Wish("immunizations", "DTaP", "cDC's schedule: overdue", None, None, last_day, Outlook.AT_RISK)
    return Action(
        kind=ActionKind.IMMUNIZATION,
        key=f"immunization:{text}",
        text=text,
        when=when,
        coding=None,
        products=("Infanrix", "Pediarix"),
        urgency=urgency,
        due_from=None,
        due_by=None,
        last_day=last_day,
        wishes=(wish,),
        remarks=("measure met, dose of May 3 invalid: repeat",),
    )


def test_an_action_is_told_in_few_words() -> None:
    found = due(
        [action("DTaP, dose 3", Urgency.OVERDUE, "overdue since May 2, 2026, last day Mar 2, 2027", date(2027, 3, 2))],
        AS_OF,
    )
    assert found.today == (
        Todo(
            state="overdue",
            label="Overdue",
            kind="Vaccine",
            text="DTaP, dose 3",
            when="since May 2, 2026, last day Mar 2, 2027",
            products="Infanrix or Pediarix",
            remarks=("Measure met, dose of May 3 invalid: repeat",),
            reasons=(Reason("Immunization schedule", "CDC's schedule: overdue"),),
        ),
    )
    assert (found.later, found.lost) == ((), ())


def test_what_can_be_done_for_a_few_days_only_stands_first() -> None:
    found = due(
        [
            action("a", Urgency.DUE, "due now, last day Dec 6, 2026", date(2026, 12, 6)),
            action("b", Urgency.DUE, "due now, last day Dec 7, 2026", date(2026, 12, 7)),
            action("c", Urgency.OVERDUE, "overdue since May 2, 2026"),
        ],
        AS_OF,
    )
    assert [(todo.text, todo.when) for todo in found.today] == [
        ("A", "now, last day Dec 6, 2026"),
        ("C", "since May 2, 2026"),
        ("B", "now, last day Dec 7, 2026"),
    ]


def test_many_are_named_by_kind_first() -> None:
    visit = replace(action("Well-child visit, 4 months", Urgency.DUE, "due now"), kind=ActionKind.VISIT)
    doses = [action(name, Urgency.DUE, "due now") for name in ("DTaP, dose 2", "IPV, dose 2", "PCV, dose 2")]
    assert [(line.kind, [todo.text for todo in line.todos]) for line in due([*doses, visit], AS_OF).glance] == [
        ("Vaccines", ["DTaP, dose 2", "IPV, dose 2", "PCV, dose 2"]),
        ("Visit", ["Well-child visit, 4 months"]),
    ]
    assert due(doses, AS_OF).glance == ()  # three are read as fast


def test_where_nobody_can_tell_nothing_is_claimed() -> None:
    assert due([], AS_OF, can_be_told=False).summary == "What is due can’t be told."


def test_overdue_first_then_due_and_the_others_apart() -> None:
    found = due(
        [
            action("a", Urgency.DUE, "due now"),
            action("b", Urgency.OVERDUE, "overdue since May 2, 2026"),
            action("c", Urgency.LATER, "due from Dec 1, 2026"),
            action("d", Urgency.LOST, "no longer possible"),
            action("e", Urgency.OVERDUE, "overdue since May 3, 2026"),
        ],
        AS_OF,
    )
    assert [todo.text for todo in found.today] == ["B", "E", "A"]
    assert [todo.text for todo in found.later] == ["C"]
    assert [(todo.text, todo.label, todo.when) for todo in found.lost] == [("D", "No longer possible", "")]
    assert found.summary == "3 things can be done today, 2 overdue."


def test_a_remark_on_several_actions_is_told_once_at_the_first() -> None:
    found = due([action("a", Urgency.DUE, "due now"), action("b", Urgency.OVERDUE, "overdue since May 2, 2026")], AS_OF)
    assert [(todo.text, len(todo.remarks)) for todo in found.today] == [("B", 1), ("A", 0)]


def test_the_summary_says_how_much_there_is() -> None:
    late, now = action("a", Urgency.OVERDUE, "overdue since May 2, 2026"), action("b", Urgency.DUE, "due now")
    assert [due(list(one), AS_OF).summary for one in ([], [now], [late], [now, now], [late, late], [late, now])] == [
        "Nothing is due today.",
        "1 thing can be done today.",
        "1 thing can be done today, and it is overdue.",
        "2 things can be done today.",
        "2 things can be done today, all overdue.",
        "2 things can be done today, 1 overdue.",
    ]
