using System.Globalization;
using Moat.Oci;

namespace Moat.Runtime.Cgroups;

/// <summary>Translates the limits of a configuration to files of cgroups (the kernel's cgroup-v1/*.rst and cgroup-v2.rst).</summary>
internal static class ResourceSettings
{
    private const int ThreadsPerTask = 2; // in the Sentry and in the stub
    private const int OwnThreads = 64;

    /// <summary>For version 1, in the order in which they are written.</summary>
    public static IReadOnlyList<CgroupSetting> ForVersion1(OciResources resources)
    {
        List<CgroupSetting> settings = [];
        if (resources.Memory is { } memory)
        {
            // With both given the order depends on what was set before; the caller writes them again in the other order if the first fails.
            Add(settings, "memory.limit_in_bytes", memory.Limit);
            Add(settings, "memory.memsw.limit_in_bytes", memory.Swap is 0 ? null : memory.Swap, isOptional: true);
            Add(settings, "memory.soft_limit_in_bytes", memory.Reservation);
            Add(settings, "memory.swappiness", (long?)memory.Swappiness, isOptional: true);
            if (memory.DisableOomKiller == true)
            {
                settings.Add(new CgroupSetting("memory.oom_control", "1"));
            }
        }

        if (resources.Cpu is { } cpu)
        {
            Add(settings, "cpu.shares", cpu.Shares is 0 ? null : (long?)cpu.Shares);
            Add(settings, "cpu.cfs_period_us", cpu.Period is 0 ? null : (long?)cpu.Period);
            Add(settings, "cpu.cfs_quota_us", cpu.Quota is 0 ? null : cpu.Quota);
            Add(settings, "cpu.cfs_burst_us", (long?)cpu.Burst, isOptional: true);
            Add(settings, "cpu.rt_period_us", cpu.RealtimePeriod is 0 ? null : (long?)cpu.RealtimePeriod);
            Add(settings, "cpu.rt_runtime_us", cpu.RealtimeRuntime is 0 ? null : cpu.RealtimeRuntime);
            Add(settings, "cpu.idle", cpu.Idle, isOptional: true);
            AddText(settings, "cpuset.cpus", cpu.Cpus);
            AddText(settings, "cpuset.mems", cpu.Mems);
        }

        AddPids(settings, resources.Pids);
        foreach (OciDeviceRule rule in resources.Devices)
        {
            string type = rule.Type is null or "" ? "a" : rule.Type;
            string text = $"{type} {Device(rule.Major)}:{Device(rule.Minor)} {(string.IsNullOrEmpty(rule.Access) ? "rwm" : rule.Access)}";
            settings.Add(new CgroupSetting(rule.Allow ? "devices.allow" : "devices.deny", text));
        }

        if (resources.BlockIo is { } io)
        {
            Add(settings, "blkio.weight", io.Weight is 0 ? null : io.Weight, isOptional: true);
            AddThrottles(settings, "blkio.throttle.read_bps_device", io.ThrottleReadBpsDevice);
            AddThrottles(settings, "blkio.throttle.write_bps_device", io.ThrottleWriteBpsDevice);
            AddThrottles(settings, "blkio.throttle.read_iops_device", io.ThrottleReadIopsDevice);
            AddThrottles(settings, "blkio.throttle.write_iops_device", io.ThrottleWriteIopsDevice);
        }

        foreach (OciHugepageLimit limit in resources.HugepageLimits)
        {
            settings.Add(new CgroupSetting($"hugetlb.{limit.PageSize}.limit_in_bytes", limit.Limit.ToString(CultureInfo.InvariantCulture), IsOptional: true));
        }

        return settings;
    }

    /// <summary>For version 2. Rules about devices have no file there: the Sentry opens none, and the Gofer never opens device nodes.</summary>
    public static IReadOnlyList<CgroupSetting> ForVersion2(OciResources resources)
    {
        List<CgroupSetting> settings = [];
        if (resources.Memory is { } memory)
        {
            AddLimit(settings, "memory.max", memory.Limit);
            AddLimit(settings, "memory.low", memory.Reservation);
            if (memory.Swap is { } swap and not 0)
            {
                // Version 2 counts swap alone.
                AddLimit(settings, "memory.swap.max", swap < 0 ? -1 : swap - Math.Max(memory.Limit ?? 0, 0), isOptional: true);
            }
        }

        if (resources.Cpu is { } cpu)
        {
            if (cpu.Shares is > 0 and { } shares)
            {
                // The range 2..262144 onto 1..10000, as the kernel's documentation of the two proposes.
                ulong bounded = Math.Clamp(shares, 2, 262144);
                settings.Add(new CgroupSetting("cpu.weight", (1 + ((bounded - 2) * 9999 / 262142)).ToString(CultureInfo.InvariantCulture)));
            }

            if (cpu.Quota is { } quota and not 0 || cpu.Period is > 0)
            {
                string limit = cpu.Quota is > 0 ? cpu.Quota.Value.ToString(CultureInfo.InvariantCulture) : "max";
                settings.Add(new CgroupSetting("cpu.max", string.Create(CultureInfo.InvariantCulture, $"{limit} {(cpu.Period is > 0 ? cpu.Period.Value : 100000)}")));
            }

            Add(settings, "cpu.max.burst", (long?)cpu.Burst, isOptional: true);
            Add(settings, "cpu.idle", cpu.Idle, isOptional: true);
            AddText(settings, "cpuset.cpus", cpu.Cpus);
            AddText(settings, "cpuset.mems", cpu.Mems);
        }

        AddPids(settings, resources.Pids);
        if (resources.BlockIo is { } io)
        {
            Add(settings, "io.weight", io.Weight is 0 ? null : io.Weight, isOptional: true);
            AddIoMax(settings, "rbps", io.ThrottleReadBpsDevice);
            AddIoMax(settings, "wbps", io.ThrottleWriteBpsDevice);
            AddIoMax(settings, "riops", io.ThrottleReadIopsDevice);
            AddIoMax(settings, "wiops", io.ThrottleWriteIopsDevice);
        }

        foreach ((string file, string value) in resources.Unified)
        {
            if (file.Contains('.') && !file.Contains('/'))
            {
                settings.Add(new CgroupSetting(file, value));
            }
        }

        return settings;
    }

    // A task of the application is a thread of the Sentry and one of a stub on the host, and the Sentry has some of its own; the exact limit is kept inside.
    private static void AddPids(List<CgroupSetting> settings, OciPids? pids)
    {
        if (pids is not null && pids.Limit != 0)
        {
            settings.Add(new CgroupSetting("pids.max", pids.Limit < 0 ? "max" : Number(Math.Min((pids.Limit * ThreadsPerTask) + OwnThreads, 4_194_304))));
        }
    }

    private static void Add(List<CgroupSetting> settings, string file, long? value, bool isOptional = false)
    {
        if (value is { } number)
        {
            settings.Add(new CgroupSetting(file, Number(number), isOptional));
        }
    }

    private static void AddLimit(List<CgroupSetting> settings, string file, long? value, bool isOptional = false)
    {
        if (value is { } number)
        {
            settings.Add(new CgroupSetting(file, number < 0 ? "max" : Number(number), isOptional));
        }
    }

    private static void AddText(List<CgroupSetting> settings, string file, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            settings.Add(new CgroupSetting(file, value));
        }
    }

    private static void AddThrottles(List<CgroupSetting> settings, string file, IReadOnlyList<OciThrottle> throttles)
    {
        foreach (OciThrottle throttle in throttles)
        {
            settings.Add(new CgroupSetting(file, string.Create(CultureInfo.InvariantCulture, $"{throttle.Major}:{throttle.Minor} {throttle.Rate}"), IsOptional: true));
        }
    }

    private static void AddIoMax(List<CgroupSetting> settings, string key, IReadOnlyList<OciThrottle> throttles)
    {
        foreach (OciThrottle throttle in throttles)
        {
            settings.Add(new CgroupSetting("io.max", string.Create(CultureInfo.InvariantCulture, $"{throttle.Major}:{throttle.Minor} {key}={throttle.Rate}"), IsOptional: true));
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Device(long? value) => value is null or < 0 ? "*" : Number(value.Value);
}
