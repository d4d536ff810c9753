"""USSD gateways that speak HTTP: the register SHAPES, one file for each (ussd.md, section 7).

contract   HttpRequest, HttpAnswer, Shape, Wrong, ShapeOptions
fields     forms, JSON and XML, within bounds

To add one: a file with parse() and render(), and a line below; tests/kits/test_every_ussd_shape.py runs over it.
"""

from smsc_link.ussd_shapes import (
    advanta,
    africastalking,
    cellulant,
    dmark,
    flares,
    hubtel,
    nalo,
    restcomm,
    xml,
)
from smsc_link.ussd_shapes.contract import Shape

SHAPES: dict[str, Shape] = {
    "advanta": Shape(advanta.parse, advanta.render),
    "africastalking": Shape(africastalking.parse, africastalking.render),
    "cellulant": Shape(cellulant.parse, cellulant.render),
    "dmark": Shape(dmark.parse, dmark.render),
    "flares": Shape(flares.parse, flares.render),
    "hubtel": Shape(hubtel.parse, hubtel.render),
    "nalo": Shape(nalo.parse, nalo.render, limit=nalo.LIMIT),
    "restcomm": Shape(restcomm.parse, restcomm.render),
    "xml": Shape(xml.parse, xml.render),
}
"""Name → what a link of that kind speaks."""
