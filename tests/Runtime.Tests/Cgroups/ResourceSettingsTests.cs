using Moat.Oci;
using Moat.Runtime.Cgroups;

namespace Moat.Runtime.Tests.Cgroups;

/// <summary>Limits as files of both versions of cgroups.</summary>
public sealed class ResourceSettingsTests
{
    private static readonly OciResources s_resources = new()
    {
        Memory = new OciMemory { Limit = 1000, Swap = 3000, Reservation = 500 },
        Cpu = new OciCpu { Shares = 1024, Quota = 50000, Period = 100000, Cpus = "0-1" },
        Pids = new OciPids(10),
        BlockIo = new OciBlockIo { ThrottleReadBpsDevice = [new OciThrottle(8, 16, 7)] },
        Devices = [new OciDeviceRule { Allow = false, Access = "rwm" }, new OciDeviceRule { Allow = true, Type = "c", Major = 1, Minor = 3, Access = "rw" }],
        Unified = new Dictionary<string, string> { ["memory.high"] = "900", ["../escape"] = "1" },
    };

    [Fact]
    public void Version1_HasItsNames() => Assert.Equal(
        [
            "memory.limit_in_bytes=1000", "memory.memsw.limit_in_bytes=3000", "memory.soft_limit_in_bytes=500", "cpu.shares=1024", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=50000",
            "cpuset.cpus=0-1", "pids.max=84", "devices.deny=a *:* rwm", "devices.allow=c 1:3 rw", "blkio.throttle.read_bps_device=8:16 7",
        ],
        Show(ResourceSettings.ForVersion1(s_resources)));

    [Fact]
    public void Version2_HasItsOwn() => Assert.Equal(
        ["memory.max=1000", "memory.low=500", "memory.swap.max=2000", "cpu.weight=39", "cpu.max=50000 100000", "cpuset.cpus=0-1", "pids.max=84", "io.max=8:16 rbps=7", "memory.high=900"],
        Show(ResourceSettings.ForVersion2(s_resources)));

    [Fact]
    public void NoLimit_IsSaidInEachVersionsWay()
    {
        OciResources resources = new() { Memory = new OciMemory { Limit = -1, Swap = -1 }, Cpu = new OciCpu { Quota = -1 }, Pids = new OciPids(-1) };
        Assert.Equal(["memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1", "cpu.cfs_quota_us=-1", "pids.max=max"], Show(ResourceSettings.ForVersion1(resources)));
        Assert.Equal(["memory.max=max", "memory.swap.max=max", "cpu.max=max 100000", "pids.max=max"], Show(ResourceSettings.ForVersion2(resources)));
    }

    [Fact]
    public void Zeros_AreNoLimits()
    {
        OciResources resources = new() { Cpu = new OciCpu { Shares = 0, Quota = 0, Period = 0 }, BlockIo = new OciBlockIo { Weight = 0 }, Pids = new OciPids(0) };
        Assert.Empty(ResourceSettings.ForVersion1(resources));
        Assert.Empty(ResourceSettings.ForVersion2(resources));
    }

    [Theory]
    [InlineData(2, "1")]
    [InlineData(1024, "39")]
    [InlineData(262144, "10000")]
    [InlineData(1, "1")]
    [InlineData(ulong.MaxValue, "10000")]
    public void Shares_BecomeAWeight(ulong shares, string weight) =>
        Assert.Equal($"cpu.weight={weight}", Assert.Single(Show(ResourceSettings.ForVersion2(new OciResources { Cpu = new OciCpu { Shares = shares } }))));

    private static IEnumerable<string> Show(IReadOnlyList<CgroupSetting> settings) => settings.Select(static setting => $"{setting.File}={setting.Value}");
}
