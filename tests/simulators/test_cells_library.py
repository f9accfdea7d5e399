"""Cells by name."""

from statistics import mean, stdev

import pytest

from simulators.cells.library import cell_names, make_cell


def test_every_name_of_the_study_is_there() -> None:
    names = set(cell_names())
    assert names >= {f"blocking/{s}" for s in ("pp", "tio2", "go", "ti087o2")}
    assert names >= {
        f"{kind}/{s}"
        for kind in ("li_sep_li", "li_cu", "na_cu", "li_li", "li_se", "na_se")
        for s in ("pp", "ti087o2")
    }
    li_s = ("pp", "tio2", "go", "ti087o2", "pp_rate", "ti087o2_rate", "ti087o2_1c", "ti087o2_2c")
    assert names >= {f"li_s/{s}" for s in li_s}
    assert "li_ion/generic" in names


@pytest.mark.parametrize("name", cell_names())
def test_every_cell_says_what_was_put_in(name: str) -> None:
    truth = make_cell(name).truth()
    assert f"{truth['kind']}/{truth['variant']}" == name
    if truth["kind"] == "supercapacitor":  # sold by its farads: nobody says how large its electrodes are
        assert truth["capacitance"] > 0
    else:
        assert 1e-5 < truth["area"] < 1e-3


def test_a_bare_kind_is_its_plain_separator() -> None:
    assert make_cell("li_cu").truth()["variant"] == "pp"
    assert make_cell("li_ion").truth()["variant"] == "generic"


@pytest.mark.parametrize("name", ["li_x", "li_s/gold", "", "li_s/pp/more"])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=r"known: blocking/pp, .*li_ion/generic"):
        make_cell(name)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        make_cell("li_s", colour=1.0)


def test_sizes_are_written_after_the_name() -> None:
    """0.2 C of 3.4 mg is twice the current of 0.2 C of 1.7 mg; half the resistance on twice the area."""
    large = make_cell("li_s/pp area=2.262e-4 active_mass=3.40e-6")
    small = make_cell("li_s/pp")
    for _ in range(20):
        volts = small.drive_current(-0.57e-3, 60.0)
        assert large.drive_current(-1.14e-3, 60.0) == pytest.approx(volts, abs=1e-9)


def test_a_lithium_ion_cell_of_any_size_behaves_alike_at_its_own_rate() -> None:
    coin, pouch = make_cell("li_ion"), make_cell("li_ion/generic scale=1000")
    for _ in range(20):
        volts = coin.drive_current(-3e-3, 30.0)
        assert pouch.drive_current(-3.0, 30.0) == pytest.approx(volts, abs=1e-9)
        assert pouch.temperature == pytest.approx(coin.temperature, abs=1e-9)


@pytest.mark.parametrize("written", ["area", "area=wide", "area=0", "area=nan", "colour=1", "efficiency=2"])
def test_a_size_that_cannot_be_is_refused_with_those_that_can(written: str) -> None:
    with pytest.raises(ValueError, match=r"li_cu/pp: .* wanted area=number in SI"):
        make_cell(f"li_cu/pp {written}")


def test_without_options_the_seed_moves_no_parameter() -> None:
    assert make_cell("blocking/pp", 1).truth() == make_cell("blocking/pp", 2).truth()
    assert make_cell("li_s/pp", 1).truth() == make_cell("li_s/pp", 2).truth()


def test_replicates_scatter_as_the_source_says() -> None:
    # 0.305 +- 0.015 mS/cm is 0.0305 +- 0.0015 S/m; of 400 draws the mean is good to 0.0015 / 20 = 7.5e-5
    drawn = [make_cell("blocking/pp", seed, scatter=True).truth()["conductivity"] for seed in range(400)]
    assert mean(drawn) == pytest.approx(0.0305, abs=3 * 7.5e-5)
    assert stdev(drawn) == pytest.approx(0.0015, rel=0.15)
    assert make_cell("blocking/pp", 5, scatter=True).truth()["conductivity"] == drawn[5]


@pytest.mark.parametrize("name", cell_names())
def test_every_kind_can_be_a_replicate(name: str) -> None:
    one, other = (make_cell(name, seed, scatter=True) for seed in (1, 2))
    assert one.truth() != other.truth() or one.impedance(1e4) != other.impedance(1e4)


def test_geometry_is_an_option() -> None:
    # a pouch of 23.04 cm2 and 115 mg: 1 C is 115e-3 g x 1675 mAh/g = 192.6 mA
    pouch = make_cell("li_s/ti087o2", area=23.04e-4, active_mass=115e-6).truth()
    assert pouch["theoretical_capacity"] / 3600.0 == pytest.approx(0.1926, abs=5e-5)
