# What the "linux" texts of `carveout lint` say, in their own words, for carveout-says.jq: a fact is read
# off the text of a finding, and never off its rule. tools/check-kernel-table fails where no finding of
# all trees has a phrase.
def phrases: {
  # of /reserved-memory
  ignored: ["unsupported node format, ignoring\"), and no region exists"],
  # of a region, at boot
  refused: ["both handlers refuse it (-EINVAL)", "incorrect alignment of CMA region",
            "refuses every region with linux,cma-default", "The region is refused (-EINVAL)"],
  not_placed: ["failed to allocate memory for node"],
  skipped: ["the region is skipped with a message"],
  not_reserved: ["Of a fixed one \"failed to reserve memory for node\""],
  at_end_of_memory: ["A dynamic one is created at the end of memory"],
  alignment_unchecked: ["a multiple of nothing"],
  no_map_refused: ["A no-map region that touches one such page is refused as a whole"],
  second_refused: ["Where the first is mapped and the second is no-map, the second is refused"],
  overlap: ["\"OVERLAP DETECTED\" in the log, and both regions exist"],
  panic: ["Reusable: a panic at boot", "a reusable one ends the boot of arm64 with a panic"],
  # of a region, when it is attached
  attached_not: ["attaching it gives -EINVAL; on 32 bits", "A driver that attaches either gets -EINVAL"],
  attached_not_if_memory: ["a driver that attaches it gets -EINVAL; not where it is no memory"],
  attached_not_off_page: ["Where the page at the base is ordinary memory in part, attaching gives -EINVAL"],
  attached_to_nothing: ["Attaching succeeds and assigns nothing"],
  size_in_pages: ["The size is rounded down to pages"],
  is_no_memory: ["With no-map it is accepted"],
  # of a device
  no_such_entry: ["-ENODEV for a phandle that is nobody's, -EINVAL for a node without a region"],
  second_busy: ["attaching a second gives -EBUSY"],
  default_ignored: ["The property is ignored without a message: there is no default"],
  highest_base_wins: ["the one with the highest base"],
  equal_addresses: ["go on with equal addresses and no limit"],
  address_is_error: ["its device addresses are the error value"],
  warned: ["in 6.1.192, a warning when it is attached"]
};
