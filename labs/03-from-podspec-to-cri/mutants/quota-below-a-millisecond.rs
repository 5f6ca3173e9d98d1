/// Thousandths of a cpu as cpu shares. Mirrors `cm/helpers_linux.go: MilliCPUToShares`.
pub fn cpu_shares(milli_cpu: i64) -> i64 {
    let shares = i128::from(milli_cpu) * SHARES_PER_CPU / MILLI_PER_CPU;
    clamp_to_i64(shares).clamp(MIN_SHARES, MAX_SHARES)
}

/// Thousandths of a cpu as microseconds of cpu time in each period of that many microseconds; 0 is no limit.
/// Mirrors `cm/helpers_linux.go: MilliCPUToQuota`.
pub fn cpu_quota(milli_cpu: i64, period_micros: i64) -> i64 {
    if milli_cpu == 0 {
        return 0;
    }
    let quota = i128::from(milli_cpu) * i128::from(period_micros) / MILLI_PER_CPU;
    clamp_to_i64(quota)
}
