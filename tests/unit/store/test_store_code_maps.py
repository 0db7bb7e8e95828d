"""Records are read through the sources' code maps; what is stored stays what the source sent."""

from store_examples import batch, encounter, patient, written

from gapsvc.records.codemaps import read_code_map
from gapsvc.store import Store

LOCAL = "urn:oid:1.2.3"
CPT = "http://www.ama-assn.org/go/cpt"


def test_another_map_changes_the_record_without_another_pull(store_url: str) -> None:
    sent = encounter("visit", "child", type=[{"coding": [{"system": LOCAL, "code": "WELL"}]}])
    with Store.open(store_url) as store:
        store.migrate()
        written(store, batch("Patient", patient("child")), batch("Encounter", sent))
        (source,) = {source for record in store.records() for source in record.sources.values()}

    def codes(**maps: str) -> list[str]:
        code_maps = {
            name: read_code_map(f"system,code,to_system,to_code\n{LOCAL},WELL,{CPT},{code}\n")
            for name, code in maps.items()
        }
        with Store.open(store_url, code_maps=code_maps) as store:
            assert store.resource("Encounter", "visit") == sent
            (record,) = store.records()
            assert store.record("child") == record
            (visit,) = record.resources["Encounter"]
            return [coding["code"] for coding in visit["type"][0]["coding"]]

    assert codes() == ["WELL"]
    assert codes(**{source: "99391"}) == ["WELL", "99391"]
    assert codes(**{source: "99392"}) == ["WELL", "99392"]
    assert codes(another="99391") == ["WELL"]
