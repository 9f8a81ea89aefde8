"""The query languages that the lab takes: WQL, the event log's XPath, LDAP filters."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest

from console.lab.cmdlets import ldap, wql, xpath
from console.lab.engine import Command, PsObject
from console.lab.serve import InProcessLab
from console.lab.world.log import FIRST_RECORD
from console.windows.catalogue.progress import wql_any, wql_text
from tests.lab.cmdlets.conftest import stir
from tests.lab.cmdlets.driving import run

THING = {"Name": "it's [a] \\ trap", "State": 4, "Owner": None, "Live": True}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (f"Name={wql_text(str(THING['Name']))}", True),
        ("name='IT\\'S [A] \\\\ TRAP'", True),
        ("State=4 AND Live=TRUE", True),
        ("State<>4 OR State>=5", False),
        ("NOT State=5", True),
        ("(State=1 OR State=4) AND NOT (Live=FALSE)", True),
        ("Owner IS NULL", True),
        ("Name IS NOT NULL AND Owner IS NULL", True),
        ("Name LIKE 'it%trap'", True),
        ("Name LIKE 'it_s [[]a] %'", True),
        ("Name LIKE '[x-z]%'", False),
        ("Name LIKE '[^x-z]%'", True),
        ("Name=\"x\" OR State='4'", True),
        ("State < 4.5", True),
        ("Owner > 3", False),
    ],
)
def test_wql(text: str, holds: bool) -> None:
    assert wql.parse(text)(lambda name: {key.lower(): value for key, value in THING.items()}[name.lower()]) is holds


@pytest.mark.parametrize("text", ["", "Name=", "Name", "=4", "Name='x", "(State=4", "State=4)", "State==4", "x LIKE 4"])
def test_what_is_no_wql_is_refused(text: str) -> None:
    with pytest.raises(wql.WqlError):
        wql.parse(text)


def test_a_thousand_names_are_one_look() -> None:
    names = [f"role {number}" for number in range(1000)]
    holds = wql.parse(wql_any("Name", names))
    asked: list[str] = []

    def lookup(name: str) -> str:
        asked.append(name)
        return "ROLE 999"

    assert holds(lookup)
    assert asked == ["Name"]


EVENT = ET.fromstring(
    "<Event><System><EventID>20415</EventID><Level>4</Level><TimeCreated SystemTime='2026-01-01T00:00:00+00:00'/>"
    "<Provider Name='Hyper-V'/></System><UserData><VmlEventLog><VmId>A1</VmId></VmlEventLog></UserData></Event>"
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("*[System[(EventID=20415 or EventID=20417) and TimeCreated[timediff(@SystemTime) <= 60000]]]", True),
        ("*[System[EventID=20415 and TimeCreated[timediff(@SystemTime) <= 59000]]]", False),
        ("*[System[EventID!=20415]]", False),
        ("*[UserData[VmlEventLog[(VmId='A1')]]]", True),
        ("*[UserData/VmlEventLog/VmId='A2']", False),
        ("Event[System[Provider[@Name='Hyper-V']]][System/Level<5]", True),
        ("*[EventData]", False),
    ],
)
def test_xpath(text: str, holds: bool) -> None:
    assert xpath.parse(text)(EVENT, datetime(2026, 1, 1, 0, 1, tzinfo=UTC)) is holds


@pytest.mark.parametrize("text", ["", "System", "*[", "*[System[EventID=]]", "*[System[EventID=1]", "*[1=1]", "*]"])
def test_what_is_no_xpath_is_refused(text: str) -> None:
    with pytest.raises(xpath.XPathError):
        xpath.parse(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("(|(name=HV01)(name=hv02))", True),
        ("(&(name=HV*)(!(name=HV01)))", True),
        ("(name=HV\\2a)", False),
        ("(services=cifs/*)", True),
        ("(missing=*)", False),
    ],
)
def test_ldap(text: str, holds: bool) -> None:
    values: dict[str, str | list[str]] = {"name": "HV02", "services": ["host/a", "cifs/b"]}
    assert ldap.parse(text)(values.get) is holds


@pytest.mark.parametrize("text", ["", "name=x", "(name=x", "(|)", "(&(a=b)", "(a=b)(c=d)"])
def test_what_is_no_ldap_filter_is_refused(text: str) -> None:
    with pytest.raises(ldap.LdapError):
        ldap.parse(text)


async def names(lab: InProcessLab, command: Command, property: str = "Name") -> list[object]:
    found = await run(lab, command)
    assert not found.errors
    return [value.properties[property] for value in found.outputs if isinstance(value, PsObject)]


async def test_filters_and_queries_choose_instances(quiet: InProcessLab) -> None:
    groups = {"Namespace": "root\\MSCluster", "ClassName": "MSCluster_ResourceGroup", "Filter": "GroupType=111"}
    assert len(await names(quiet, Command("Get-CimInstance", groups))) == 40
    query = "SELECT Name FROM MSCluster_Node WHERE Name LIKE 'HV0[13]'"
    asked = {"Namespace": "root/MSCluster", "Query": query}
    assert await names(quiet, Command("Get-CimInstance", asked)) == ["HV01", "HV03"]
    narrowed = {"ClassName": "Win32_Processor", "Property": ["Name"]}
    assert set(await names(quiet, Command("Get-CimInstance", narrowed), "Manufacturer")) == {None}
    features = Command("Get-WindowsFeature", {"Name": ["FS-*", "Hyper-V"]})
    assert await names(quiet, features) == ["FS-FileServer", "Hyper-V", "FS-SMBBW"]
    adapters = Command("Get-NetAdapter", {"Name": ["Live*", "storage"]})
    assert await names(quiet, adapters) == ["LiveMigration", "Storage"]


async def test_events_by_table_and_in_both_orders(quiet: InProcessLab) -> None:
    await stir(quiet)
    table = {"LogName": "Microsoft-Windows-FailoverClustering/Operational", "Id": [1641]}
    newest = await names(quiet, Command("Get-WinEvent", {"FilterHashtable": table}), "RecordId")
    oldest = await names(quiet, Command("Get-WinEvent", {"FilterHashtable": table, "Oldest": True}), "RecordId")
    assert len([number for number in newest if int(getattr(number, "value", 0)) > FIRST_RECORD]) == 3
    assert len(newest) > 3, "the log goes back further than this world"
    assert oldest == newest[::-1]
    texts = await run(
        quiet,
        Command("Get-WinEvent", {"LogName": "*Hyper-V*", "FilterXPath": "*[System[EventID=1106]]"}),
        Command("ForEach-Object", {"MemberName": "ToXml"}),
    )
    (text,) = texts.outputs
    assert isinstance(text, str)
    event = ET.fromstring(text)
    values = {element.tag.rpartition("}")[2]: element.text for element in event.iter()}
    assert (values["EventID"], values["Computer"], values["Parameter2"]) == ("1106", "HV01.lab.example", "8007274C")
