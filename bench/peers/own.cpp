// Carveout, and the algorithms of Linux.
#include "bench/peer.hpp"
#include "bench/peers/carveout.hpp"
#include "bench/peers/carveout_pool.hpp"
#include "bench/peers/reference.hpp"

namespace carveout::bench {
namespace {

[[maybe_unused]] const std::array kEntered{
    enrol<Nobody, true>({.name = "nobody", .column = 900, .in_pool = false, .only_counted = true}),

    enrol_both<Carveout<Tags::dense>, true>({.name = "carveout", .column = 0, .large_only = true},
                                            "carveout-locked"),
    enrol_both<Carveout<Tags::sparse>, true>({.name = "carveout", .column = 0, .small_only = true},
                                             "carveout-locked"),
    enrol<Carveout<Tags::sparse>, true>(
        {.name = "carveout-sparse", .column = 1, .large_only = true}),

    enrol<CarveoutPool<Tags::dense>, false, true>(
        {.name = "carveout-pool", .column = 500, .large_only = true, .locked = true}),
    enrol<CarveoutPool<Tags::sparse>, false, true>(
        {.name = "carveout-pool", .column = 500, .small_only = true, .locked = true}),

    enrol_both<DmaCoherent, true>({.name = "dma-coherent", .column = 10}, "dma-coherent-locked"),
    enrol_both<GenallocFirstFit, true>({.name = "genalloc-first-fit", .column = 11},
                                       "genalloc-first-fit-locked"),
    enrol_both<GenallocBestFit>({.name = "genalloc-best-fit", .column = 12},
                                "genalloc-best-fit-locked"),
    enrol_both<Cma, true>({.name = "cma", .column = 13}, "cma-locked"),
};

}  // namespace
}  // namespace carveout::bench
