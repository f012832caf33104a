"""Names of a plausible city in central India, in English and Hindi."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    en: str
    hi: str

    def __add__(self, other: Name) -> Name:
        return Name(f"{self.en} {other.en}", f"{self.hi} {other.hi}")


CITY = Name("Shantipur", "शांतिपुर")


def _pairs(text: str) -> tuple[Name, ...]:
    """Names from lines of `English/Hindi` separated by bars."""
    pairs = (pair.split("/") for line in text.split("\n") for pair in line.split("|"))
    return tuple(Name(en, hi) for en, hi in pairs)


PERSONS = _pairs("""\
Shastri/शास्त्री|Nehru/नेहरू|Tilak/तिलक|Azad/आज़ाद|Patel/पटेल|Rajendra/राजेंद्र
Ambedkar/अंबेडकर|Subhash/सुभाष|Vivekanand/विवेकानंद|Lajpat/लाजपत|Sarojini/सरोजिनी
Kasturba/कस्तूरबा|Bhagat/भगत|Ahilya/अहिल्या|Shivaji/शिवाजी|Tagore/टैगोर|Jawahar/जवाहर
Malviya/मालवीय|Gokhale/गोखले|Savitri/सावित्री|Sudama/सुदामा|Krishna/कृष्णा|Ram/राम
Lakshmi/लक्ष्मी|Durga/दुर्गा|Ganesh/गणेश|Saraswati/सरस्वती|Narmada/नर्मदा
Kshipra/क्षिप्रा|Kaveri/कावेरी|Ganga/गंगा|Yamuna/यमुना|Vindhya/विंध्य|Satpura/सतपुड़ा
Himalaya/हिमालय|Surya/सूर्य|Chandra/चंद्र|Usha/उषा|Kamal/कमल|Gulab/गुलाब|Ashok/अशोक
Chandan/चंदन|Tulsi/तुलसी|Neem/नीम|Mahavir/महावीर|Buddha/बुद्ध|Kabir/कबीर|Rahim/रहीम
Vallabh/वल्लभ|Prem/प्रेम|Shanti/शांति|Anand/आनंद|Sukhdev/सुखदेव|Vijay/विजय""")
COLONIES = _pairs("""\
Nagar/नगर|Colony/कॉलोनी|Vihar/विहार|Bagh/बाग|Pura/पुरा|Ganj/गंज|Enclave/एन्क्लेव
Dham/धाम""")
OLD_STREETS = _pairs("""\
Sarafa/सराफा|Bohra/बोहरा|Pipli/पीपली|Kumhar/कुम्हार|Lohar/लोहार|Marothia/मारोठिया
Sitla/शीतला|Narsingh/नृसिंह|Khajuri/खजूरी|Imli/इमली|Bartan/बर्तन|Kapda/कपड़ा
Malganj/मालगंज|Chhipa/छीपा|Juni/जूनी|Harsiddhi/हरसिद्धि|Bada/बड़ा|Gora/गोरा|Kala/काला
Toda/टोड़ा""")
ARTERIALS = _pairs("""\
M G Road/एम जी रोड|A B Road/ए बी रोड|Station Road/स्टेशन रोड|Subhash Marg/सुभाष मार्ग
Jail Road/जेल रोड|Sanyogitaganj Road/संयोगितागंज रोड|Airport Road/एयरपोर्ट रोड
University Road/विश्वविद्यालय रोड|Lake Road/झील रोड|Mill Road/मिल रोड
Fort Road/किला रोड|Canal Road/नहर रोड|Court Road/कोर्ट रोड|Hospital Road/अस्पताल रोड
Mandi Road/मंडी रोड|Palace Road/महल रोड|College Road/कॉलेज रोड|Temple Road/मंदिर मार्ग
Nagda Road/नागदा रोड|Dewas Road/देवास रोड|Ujjain Road/उज्जैन रोड
Khandwa Road/खंडवा रोड|Dhar Road/धार रोड|Bypass Road/बाईपास रोड""")
RING_ROAD = Name("Ring Road", "रिंग रोड")
OUTER_ROAD = Name("Outer Road", "बाहरी मार्ग")
LAKE = Name("Sagar Talab", "सागर तालाब")
RAILWAY = Name("Western Railway", "पश्चिम रेलवे")

STREET = Name("Street", "मार्ग")
CROSS = Name("Cross", "क्रॉस")
GALI = Name("Gali", "गली")
BAZAR = Name("Bazar", "बाज़ार")
WARD = Name("Ward", "वार्ड")
PARK = Name("Park", "उद्यान")
CHOWK = Name("Chowk", "चौक")

LANDMARKS: tuple[tuple[str, dict[str, str], Name], ...] = (
    (
        "temple",
        {"amenity": "place_of_worship", "religion": "hindu"},
        Name("Hanuman Mandir", "हनुमान मंदिर"),
    ),
    (
        "temple",
        {"amenity": "place_of_worship", "religion": "hindu"},
        Name("Shiv Mandir", "शिव मंदिर"),
    ),
    ("temple", {"amenity": "place_of_worship", "religion": "jain"}, Name("Jain Mandir", "जैन मंदिर")),
    (
        "mosque",
        {"amenity": "place_of_worship", "religion": "muslim"},
        Name("Jama Masjid", "जामा मस्जिद"),
    ),
    ("gurdwara", {"amenity": "place_of_worship", "religion": "sikh"}, Name("Gurudwara", "गुरुद्वारा")),
    ("school", {"amenity": "school"}, Name("Government School", "शासकीय विद्यालय")),
    ("school", {"amenity": "school"}, Name("Girls School", "कन्या विद्यालय")),
    ("hospital", {"amenity": "hospital"}, Name("Hospital", "चिकित्सालय")),
    ("hall", {"amenity": "community_centre"}, Name("Samudayik Bhavan", "सामुदायिक भवन")),
    ("water_tank", {"man_made": "water_tower"}, Name("Pani Ki Tanki", "पानी की टंकी")),
)
"""(kind, OSM tags, name) of what people find their way by."""


def colonies(rng: random.Random, count: int) -> list[Name]:
    """`count` different neighbourhood names (at most 432).

    >>> len(set(colonies(random.Random(1), 340)))
    340
    """
    names = [person + colony for colony in COLONIES for person in PERSONS]
    rng.shuffle(names)
    return names[:count]


def numbered(name: Name, number: int) -> Name:
    """`name` with a number behind it.

    >>> numbered(GALI, 3)
    Name(en='Gali 3', hi='गली 3')
    """
    return Name(f"{name.en} {number}", f"{name.hi} {number}")
