"""What people write instead of a code: countries by their names, currencies by names and codes of the past.

COUNTRIES          code → name: ISO 3166-1, and XK, which operators use for Kosovo
meant_country      a word that is no code → the code that was probably meant, or "" where nothing is known
meant_currency     the same of ISO 4217

Rule: this is only ever a suggestion; a file is read by codes alone.
"""

from core.money import CURRENCIES
from store.provisioning.sentences import nearest

COUNTRIES = {
    row[:2]: row[3:]
    for row in (
        "AD Andorra; AE United Arab Emirates; AF Afghanistan; AG Antigua & Barbuda; AI Anguilla; AL Albania; AM "
        "Armenia; AO Angola; AQ Antarctica; AR Argentina; AS Samoa (American); AT Austria; AU Australia; AW Aruba; AX "
        "Åland Islands; AZ Azerbaijan; BA Bosnia and Herzegovina; BB Barbados; BD Bangladesh; BE Belgium; BF Burkina "
        "Faso; BG Bulgaria; BH Bahrain; BI Burundi; BJ Benin; BL St Barthelemy; BM Bermuda; BN Brunei; BO Bolivia; BQ "
        "Caribbean NL; BR Brazil; BS Bahamas; BT Bhutan; BV Bouvet Island; BW Botswana; BY Belarus; BZ Belize; CA "
        "Canada; CC Cocos (Keeling) Islands; CD Congo-Kinshasa; CF Central African Rep.; CG Congo-Brazzaville; CH "
        "Switzerland; CI Côte d'Ivoire; CK Cook Islands; CL Chile; CM Cameroon; CN China; CO Colombia; CR Costa Rica; "
        "CU Cuba; CV Cape Verde; CW Curaçao; CX Christmas Island; CY Cyprus; CZ Czechia; DE Germany; DJ Djibouti; DK "
        "Denmark; DM Dominica; DO Dominican Republic; DZ Algeria; EC Ecuador; EE Estonia; EG Egypt; EH Western "
        "Sahara; ER Eritrea; ES Spain; ET Ethiopia; FI Finland; FJ Fiji; FK Falkland Islands; FM Micronesia; FO Faroe "
        "Islands; FR France; GA Gabon; GB United Kingdom; GD Grenada; GE Georgia; GF French Guiana; GG Guernsey; GH "
        "Ghana; GI Gibraltar; GL Greenland; GM Gambia; GN Guinea; GP Guadeloupe; GQ Equatorial Guinea; GR Greece; GS "
        "South Georgia & the South Sandwich Islands; GT Guatemala; GU Guam; GW Guinea-Bissau; GY Guyana; HK Hong "
        "Kong; HM Heard Island & McDonald Islands; HN Honduras; HR Croatia; HT Haiti; HU Hungary; ID Indonesia; IE "
        "Ireland; IL Israel; IM Isle of Man; IN India; IO British Indian Ocean Territory; IQ Iraq; IR Iran; IS "
        "Iceland; IT Italy; JE Jersey; JM Jamaica; JO Jordan; JP Japan; KE Kenya; KG Kyrgyzstan; KH Cambodia; KI "
        "Kiribati; KM Comoros; KN St Kitts & Nevis; KP North Korea; KR South Korea; KW Kuwait; KY Cayman Islands; KZ "
        "Kazakhstan; LA Laos; LB Lebanon; LC St Lucia; LI Liechtenstein; LK Sri Lanka; LR Liberia; LS Lesotho; LT "
        "Lithuania; LU Luxembourg; LV Latvia; LY Libya; MA Morocco; MC Monaco; MD Moldova; ME Montenegro; MF St "
        "Martin (French); MG Madagascar; MH Marshall Islands; MK North Macedonia; ML Mali; MM Myanmar; MN Mongolia; "
        "MO Macau; MP Northern Mariana Islands; MQ Martinique; MR Mauritania; MS Montserrat; MT Malta; MU Mauritius; "
        "MV Maldives; MW Malawi; MX Mexico; MY Malaysia; MZ Mozambique; NA Namibia; NC New Caledonia; NE Niger; NF "
        "Norfolk Island; NG Nigeria; NI Nicaragua; NL Netherlands; NO Norway; NP Nepal; NR Nauru; NU Niue; NZ New "
        "Zealand; OM Oman; PA Panama; PE Peru; PF French Polynesia; PG Papua New Guinea; PH Philippines; PK Pakistan; "
        "PL Poland; PM St Pierre & Miquelon; PN Pitcairn; PR Puerto Rico; PS Palestine; PT Portugal; PW Palau; PY "
        "Paraguay; QA Qatar; RE Réunion; RO Romania; RS Serbia; RU Russia; RW Rwanda; SA Saudi Arabia; SB Solomon "
        "Islands; SC Seychelles; SD Sudan; SE Sweden; SG Singapore; SH St Helena; SI Slovenia; SJ Svalbard & Jan "
        "Mayen; SK Slovakia; SL Sierra Leone; SM San Marino; SN Senegal; SO Somalia; SR Suriname; SS South Sudan; ST "
        "Sao Tome & Principe; SV El Salvador; SX St Maarten (Dutch); SY Syria; SZ Eswatini; TC Turks & Caicos Is; TD "
        "Chad; TF French S. Terr.; TG Togo; TH Thailand; TJ Tajikistan; TK Tokelau; TL East Timor; TM Turkmenistan; "
        "TN Tunisia; TO Tonga; TR Turkey; TT Trinidad & Tobago; TV Tuvalu; TW Taiwan; TZ Tanzania; UA Ukraine; UG "
        "Uganda; UM US minor outlying islands; US United States; UY Uruguay; UZ Uzbekistan; VA Vatican; VC St "
        "Vincent; VE Venezuela; VG Virgin Islands (UK); VI Virgin Islands (US); VN Vietnam; VU Vanuatu; WF Wallis & "
        "Futuna; WS Samoa; XK Kosovo; YE Yemen; YT Mayotte; ZA South Africa; ZM Zambia; ZW Zimbabwe "
    )
    .strip()
    .split("; ")
}

_COUNTRY_WORDS = {
    "america": "US", "usa": "US", "england": "GB", "britain": "GB", "great britain": "GB", "uk": "GB", "rus": "RU",
    "russian federation": "RU", "kaz": "KZ", "blr": "BY", "ukr": "UA", "srb": "RS", "deu": "DE", "holland": "NL",
    "czech republic": "CZ", "burma": "MM", "macedonia": "MK", "korea": "KR", "ivory coast": "CI", "emirates": "AE",
    "россия": "RU", "казахстан": "KZ", "беларусь": "BY", "украина": "UA", "армения": "AM", "грузия": "GE",
}  # fmt: skip
_CURRENCY_WORDS = {
    "rur": "RUB", "ruble": "RUB", "rouble": "RUB", "rubles": "RUB", "roubles": "RUB", "₽": "RUB", "рубль": "RUB",
    "руб": "RUB", "tenge": "KZT", "₸": "KZT", "hryvnia": "UAH", "₴": "UAH", "byr": "BYN", "byb": "BYN", "euro": "EUR",
    "euros": "EUR", "€": "EUR", "dollar": "USD", "dollars": "USD", "$": "USD", "us$": "USD", "pound": "GBP", "£": "GBP",
    "yen": "JPY", "yuan": "CNY", "rmb": "CNY", "rupee": "INR", "azm": "AZN", "gek": "GEL", "trl": "TRY", "ron": "RON",
    "rol": "RON", "bgl": "BGN", "csd": "RSD", "yum": "RSD", "hrk": "EUR", "dem": "EUR", "frf": "EUR", "ltl": "EUR",
    "lvl": "EUR", "eek": "EUR", "tmm": "TMT", "tjr": "TJS", "zmk": "ZMW", "ghc": "GHS", "mro": "MRU", "std": "STN",
}  # fmt: skip


def meant_country(word: str) -> str:
    """By its name where it is longer than a code."""
    word = word.strip().casefold()
    if word in _COUNTRY_WORDS:
        return _COUNTRY_WORDS[word]
    if not word.isascii():
        return ""
    if len(word) <= 3:
        return nearest(word, COUNTRIES)
    by_name = {name.casefold(): code for code, name in COUNTRIES.items()}
    return by_name.get(nearest(word, by_name), "")


def meant_currency(word: str) -> str:
    """By its name or a code of the past, else the code most like it, one with the same first letters before others."""
    word = word.strip().casefold()
    known = _CURRENCY_WORDS.get(word)
    if known or not word.isascii():
        return known or ""
    # The first two are the country's, by which people know a code (ISO 4217).
    alike = ([code for code in CURRENCIES if code.casefold().startswith(word[:length])] for length in (2, 1, 0))
    return next(filter(None, (nearest(word, codes) for codes in alike)), "")
