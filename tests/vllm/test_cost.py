"""What a streamed token costs our client."""

from tests.vllm.cost import Costs, costs


def test_a_streamed_token_costs_at_most_twenty_microseconds() -> None:
    tries = [costs(6000, 1000, 20) for _ in range(3)]
    found = Costs(*(min(getattr(one, part) for one in tries) for part in ("whole", "bare", "hot")))
    print(f"\n{found}")
    assert found.whole - found.bare <= 20 and found.hot <= 20
