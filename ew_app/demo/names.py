"""Invented names for invented people: families by the language they may speak at home, schools, streets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Community:
    """Names that go together, the home language and how often it is spoken, and a share of the households."""

    share: float
    language: str
    spoken: float
    group: str
    first: tuple[str, ...]
    last: tuple[str, ...]


def _community(share: float, language: str, spoken: float, group: str, first: str, last: str) -> Community:
    return Community(share, language, spoken, group, tuple(first.split()), tuple(last.split()))


COMMUNITIES: tuple[Community, ...] = (
    _community(
        *(0.29, "English", 1.0, "Black"),
        "Amara Jaylen Nia Malik Imani Darius Kayla Andre Zuri Isaiah Aaliyah Terrence Brielle Xavier Jada Marcus "
        "Destiny Kendrick Naomi Elijah Simone Tyrell Ebony Langston Serenity Quentin Maya Dante Kiara Josiah",
        "Carter Bennett Hollis Mayfield Dawkins Freeman Gaines Whitlow Pruitt Sanders Tolbert Easley Hampton "
        "Jenkins Merritt Oakes Rollins Shelby Vaughn Winfield Baptiste Corley",
    ),
    _community(
        *(0.34, "Spanish", 0.62, "Hispanic/Latino"),
        "Camila Mateo Valeria Santiago Ximena Diego Lucia Emiliano Daniela Joaquin Renata Adrian Marisol Hector "
        "Paola Ivan Fernanda Rafael Itzel Leonardo Catalina Andres Noemi Esteban Alondra Julian Yaretzi Oscar",
        "Ortiz Ramirez Delgado Fuentes Villanueva Cordero Maldonado Salinas Barrera Escobedo Quintero Zamora "
        "Cervantes Montoya Ibarra Galindo Rosales Pacheco Trujillo Arroyo Benitez Olvera",
    ),
    _community(
        *(0.14, "English", 1.0, "White"),
        "Emma Henry Clara Owen Hazel Jack Lily Theo Nora Wyatt Ruby Miles Alice Graham Molly Everett Tess Colin",
        "Hartley Donovan Keller Lindqvist Whitaker Brennan Ashworth Callahan Decker Gallagher Novotny Pearson "
        "Thatcher Weaver Sorensen Haugen",
    ),
    _community(
        *(0.04, "Polish", 0.6, "White"),
        "Zofia Jakub Maja Filip Hanna Szymon Julia Kacper Oliwia Mateusz",
        "Kowalczyk Wojcik Zielinska Nowicki Kaminski Sikora Pawlak Gorski",
    ),
    _community(
        *(0.03, "Ukrainian", 0.85, "White"),
        "Solomiya Danylo Kateryna Bohdan Anastasiya Taras Oksana Nazar",
        "Kovalenko Shevchuk Tkachenko Bondar Melnyk Lysenko Hrytsenko",
    ),
    _community(
        *(0.04, "Cantonese", 0.7, "Asian"),
        "Mei Jun Lily Wing Kai Yan Grace Ming Hoi Elaine",
        "Chan Leung Wong Cheung Lau Kwok Tam Yip",
    ),
    _community(
        *(0.02, "Vietnamese", 0.6, "Asian"),
        "Linh Minh Thao Bao An Khoa Vy Duc",
        "Nguyen Tran Pham Huynh Dang Bui Vo",
    ),
    _community(
        *(0.02, "Tagalog", 0.4, "Asian"),
        "Althea Miguel Jasmine Paolo Bea Carlo Trisha Rico",
        "Reyes Santos Bautista Mendoza Aquino Pascual Salonga",
    ),
    _community(
        *(0.02, "Urdu", 0.7, "Asian"),
        "Ayesha Hamza Zainab Bilal Maryam Usman Hira Danish",
        "Siddiqui Qureshi Chaudhry Malik Hashmi Rizvi Ansari",
    ),
    _community(
        *(0.03, "Arabic", 0.75, "White"),
        "Layla Omar Noor Yusuf Salma Karim Rania Tariq",
        "Haddad Khalil Nasser Mansour Saleh Darwish Barakat",
    ),
    _community(
        *(0.015, "Yoruba", 0.5, "Black"),
        "Temi Ayo Folake Tunde Simi Kunle Yinka Dayo",
        "Adeyemi Okafor Balogun Ogunleye Akande Oyelaran",
    ),
    _community(
        *(0.01, "Haitian Creole", 0.7, "Black"),
        "Widline Jean Fabiola Ricardo Mirlande Stevenson",
        "Pierre Toussaint Desir Laguerre Etienne Augustin",
    ),
    _community(
        *(0.01, "Amharic", 0.7, "Black"),
        "Selam Dawit Hana Yonas Bethlehem Natnael",
        "Tesfaye Bekele Alemu Girma Haile Mekonnen",
    ),
    _community(
        *(0.005, "English", 1.0, "Native American"),
        "Aiyana Chayton Winona Takoda Sage River",
        "Redbird Whitefeather Longtree Blackwater Fairsky",
    ),
)

SCHOOLS: tuple[str, ...] = (
    *("Carver", "Linden", "Harbor", "Prairie", "Northgate", "Willow", "Juniper", "Cedar", "Lakeview", "Sycamore"),
    *("Bronze", "Marquette", "Foundry", "Aldine", "Beacon", "Calumet", "Douglass", "Elmwood", "Fairfield", "Garfield"),
    *("Hawthorne", "Ivywood", "Jackson", "Kedzie", "Larkspur", "Maplewood", "Nightingale", "Oakdale", "Parkside"),
    *("Quarry", "Riverbend", "Sunnyside", "Thornton", "Union", "Vernon", "Waverly", "Yates", "Zephyr", "Ashbury"),
    *("Birchwood", "Crestview", "Dunbar"),
)
NETWORKS: tuple[str, ...] = (
    *("North", "West", "South", "Central", "Lakefront", "River", "Midway", "Prairie", "Hills", "Garden", "Canal"),
    *("Steel", "Meadow", "Ridge", "Bay", "Park", "Summit"),
)
STREETS: tuple[str, ...] = tuple(
    f"{name} {kind}"
    for name in ("Alder", "Bellflower", "Copper", "Dovetail", "Emberly", "Foxglove", "Glassmaker", "Heron", "Indigo")
    for kind in ("Street", "Avenue", "Lane")
)
