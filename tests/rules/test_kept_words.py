"""Words that often tell what is kept only for some: found in both languages, and no alarm at an ordinary sentence."""

from __future__ import annotations

import pytest

from rules.kept_words import only_for_some, where_kept

TELLS = {
    "stls": [
        "They moved to a shelter last week.",
        "The family was evicted on Monday.",
        "Ana sleeps in the car with her brother.",
        "He is staying on a friend's couch, sleeps on the couch of an aunt.",
        "Three families are doubled up in one flat.",
        "They have nowhere to stay.",
        "La familia vive en un albergue.",
        "Los desalojaron el martes.",
        "Perdieron su apartamento.",
        "Duermen en el carro.",
        "No tienen dónde dormir.",
        "Viven con unos conocidos; vive con parientes.",
    ],
    "health": [
        "Her asthma is worse in winter.",
        "She needs an inhaler at school.",
        "Takes medicine at noon.",
        "He was hospitalized twice.",
        "She is pregnant.",
        "Su hija está embarazada.",
        "Tiene diabetes.",
        "Lo operan: cirugía el viernes.",
        "Faltan las vacunas.",
    ],
    "counseling": [
        "He seems depressed since May.",
        "She talked about hurting herself.",
        "Goes to counseling every week.",
        "Her therapist asked for mornings off.",
        "Habla de suicidio.",
        "Sufre de ansiedad.",
        "Va con la psicóloga del barrio.",
    ],
    "iep_504": [
        "Her IEP names a quiet room.",
        "He has a 504 since last year.",
        "The 504 plan says that he may come late.",
        "In special education since second grade.",
        "He has ADHD.",
        "Tiene un plan 504.",
        "Está en educación especial.",
    ],
    "protected": [
        "There is domestic violence at home.",
        "DCFS came to the house.",
        "She is in foster care.",
        "Mother has an order of protection.",
        "Her father is in jail.",
        "Hay violencia doméstica.",
        "Tiene una orden de alejamiento.",
        "Su papá está en la cárcel.",
    ],
}

ORDINARY = [
    "",
    "Grandmother brings her on Monday; interpreter for Spanish needed.",
    "Waits at the bus shelter in the rain, and the bus does not come.",
    "They met at the animal shelter; he volunteers there.",
    "Takes the 504 bus; the 504 to Western is late. Meet in room 504.",
    "Let us foster trust, and foster good habits in the morning.",
    "The therapy dog comes on Fridays.",
    "Wants to study medicine, plays on the couch with his sister.",
    "Coach says he is a leader. He counsels the younger players.",
    "School counselor called at nine and left a voicemail.",
    "Mother works nights and sleeps in the mornings.",
    "Father takes the car to work; nobody else can drive.",
    "She is embarrassed about her shoes.",
    "Shelter in place drill on Thursday.",
    "He broke the pencil case. The call was cut, so we talked again.",
    "Overslept twice; an alarm clock would help.",
    "Uniform is too small. Needs a size up, and a Ventra card.",
    "Wants help with fractions; ready to double up on homework.",
    "La abuela la trae los lunes.",
    "El autobús no llega a tiempo.",
    "Se corta la llamada; volver a llamar por la tarde.",
    "La mamá trabaja de noche y el papá también.",
    "Vive a dos cuadras de la escuela con su mamá.",
    "Necesita un uniforme y una tarjeta de autobús.",
    "Prefiere mensajes de texto después de las tres.",
    "No tiene tarea pendiente.",
    "Le gusta la clase de arte y juega fútbol.",
]


@pytest.mark.parametrize(("part", "text"), [(part, text) for part, texts in TELLS.items() for text in texts])
def test_what_is_kept_only_for_some_is_noticed(part: str, text: str):
    assert only_for_some(text), text
    assert where_kept(text) == part


@pytest.mark.parametrize("text", ORDINARY)
def test_no_alarm_at_an_ordinary_sentence(text: str):
    assert only_for_some(text) == ""


def test_the_words_are_told_as_they_were_written():
    assert only_for_some("No tienen dónde DORMIR hoy.") == "No tienen dónde DORMIR"
    assert only_for_some("Bus shelter first, a homeless shelter then.") == "homeless"
