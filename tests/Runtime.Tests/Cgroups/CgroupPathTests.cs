using Moat.Runtime.Cgroups;

namespace Moat.Runtime.Tests.Cgroups;

/// <summary>Where a container's groups are.</summary>
public sealed class CgroupPathTests
{
    private const string Hybrid = """
        25 24 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
        26 25 0:23 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw
        27 25 0:24 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd
        28 25 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
        29 25 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:1 - cgroup cgroup rw,memory
        30 25 0:26 / /elsewhere rw,nosuid shared:1 - cgroup cgroup rw,memory
        """;

    [Fact]
    public void Hybrid_IsVersion1()
    {
        IReadOnlyList<CgroupMount> mounts = CgroupMount.Parse(Hybrid);
        Assert.Equal(["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory"], mounts.Select(static mount => mount.Path));
        Assert.Equal(["cpu", "cpuacct"], mounts[1].Controllers);
        Assert.Equal("/a", mounts[1].FindProcess("4:memory:/m\n3:cpu,cpuacct:/a\n0::/u\n"));
        Assert.Equal("/", mounts[1].FindProcess("4:memory:/m\n"));
    }

    [Fact]
    public void Unified_IsVersion2()
    {
        CgroupMount mount = Assert.Single(CgroupMount.Parse("26 25 0:23 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"));
        Assert.True(mount.IsUnified);
        Assert.Equal("/user.slice/x", mount.FindProcess("0::/user.slice/x\n"));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("nonsense", "")]
    [InlineData("1 2 3 - ", "")]
    public void WhatIsNoMount_IsSkipped(string text, string paths) => Assert.Equal(paths, string.Join(' ', CgroupMount.Parse(text).Select(static mount => mount.Path)));

    [Theory]
    [InlineData(null, "/own", "/own/id")]
    [InlineData("", "/own", "/own/id")]
    [InlineData("/docker/x", "/own", "/docker/x")]
    [InlineData("rel/x", "/own", "/own/rel/x")]
    [InlineData("/a//./b/", "/", "/a/b")]
    [InlineData("/../../x", "/", "/x")]
    public void Path_IsAbsoluteOrBelowTheRuntimes(string? configured, string own, string path) => Assert.Equal(path, CgroupPath.Resolve(configured, "id", own));

    [Theory]
    [InlineData("system.slice:docker:abc", "/system.slice/docker-abc.scope")]
    [InlineData(":docker:abc", "/system.slice/docker-abc.scope")]
    [InlineData("a-b.slice:p:n", "/a.slice/a-b.slice/p-n.scope")]
    [InlineData("-.slice:p:n", "/p-n.scope")]
    [InlineData("a.slice::n", "/a.slice/n.scope")]
    [InlineData("a.slice:p:n.slice", "/a.slice/n.slice")]
    [InlineData("a:p:n", null)]
    [InlineData("a.slice:n", null)]
    [InlineData("a.slice:p:", null)]
    [InlineData("a.slice:p:x/y", null)]
    [InlineData("a--b.slice:p:n", null)]
    public void SystemdsForm_IsMapped(string configured, string? path) => Assert.Equal(path, CgroupPath.FromSystemd(configured, "id"));
}
