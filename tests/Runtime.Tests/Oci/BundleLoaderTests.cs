using System.Text;
using Moat.Oci;

namespace Moat.Runtime.Tests.Oci;

/// <summary>Loading config.json: what is read, and what is said about what cannot be.</summary>
public sealed class BundleLoaderTests : IDisposable
{
    private const string Minimal = """{"ociVersion":"1.0.0","process":{"args":["/bin/true"],"cwd":"/"},"root":{"path":"rootfs"}}""";

    private readonly string _bundle = Directory.CreateTempSubdirectory("moat-loader-").FullName;

    public void Dispose() => Directory.Delete(_bundle, recursive: true);

    [Fact]
    public void Minimal_HasDefaults()
    {
        OciSpec spec = Load(Minimal);
        Assert.Equal(["/bin/true"], spec.Process!.Args);
        Assert.Empty(spec.Mounts);
        Assert.Empty(spec.Annotations);
        Assert.Null(spec.Linux);
        Assert.Equal(0u, spec.Process.User.Uid);
    }

    [Fact]
    public void NullMembers_AreAbsentOnes()
    {
        OciSpec spec = Load("""{"ociVersion":"1.2.0","process":{"args":["a"],"cwd":"/","env":null,"rlimits":null,"user":null},"root":{"path":"r"},"mounts":null,"annotations":null,"linux":{"namespaces":null,"devices":null}}""");
        Assert.Empty(spec.Mounts);
        Assert.Empty(spec.Process!.Env);
        Assert.Empty(spec.Linux!.Namespaces);
    }

    [Fact]
    public void ByteOrderMark_IsSkipped() => Assert.Equal("1.0.0", Load('\uFEFF' + Minimal).OciVersion);

    [Fact]
    public void FullConfiguration_IsReadMemberByMember()
    {
        OciSpec spec = Load("""
            {
              "ociVersion": "1.1.0",
              "process": {
                "terminal": true, "consoleSize": {"height": 25, "width": 80}, "args": ["sh"], "env": ["A=b"], "cwd": "/w", "noNewPrivileges": true, "oomScoreAdj": -5,
                "user": {"uid": 1, "gid": 2, "umask": 63, "additionalGids": [5, 6]},
                "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "ambient": ["CAP_CHOWN"]},
                "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 18446744073709551615}]
              },
              "root": {"path": "/r", "readonly": true}, "hostname": "h", "domainname": "d",
              "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/b", "source": "/x", "options": ["rbind", "ro"]}],
              "hooks": {"poststop": [{"path": "/p", "args": ["p", "q"], "env": ["E=f"], "timeout": 3}]},
              "annotations": {"k": "v"},
              "linux": {
                "cgroupsPath": "/a/b", "sysctl": {"kernel.x": "1"}, "maskedPaths": ["/m"], "readonlyPaths": ["/o"], "rootfsPropagation": "slave",
                "namespaces": [{"type": "network", "path": "/proc/1/ns/net"}],
                "devices": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 1, "gid": 2}],
                "resources": {
                  "memory": {"limit": 100, "swap": -1, "reservation": 50, "swappiness": 3, "disableOOMKiller": true}, "pids": {"limit": 7},
                  "cpu": {"shares": 5, "quota": -1, "period": 100000, "cpus": "0-1", "mems": "0"}, "hugepageLimits": [{"pageSize": "2MB", "limit": 4}],
                  "blockIO": {"weight": 10, "throttleReadIOPSDevice": [{"major": 8, "minor": 0, "rate": 9}]}, "unified": {"memory.high": "10"},
                  "devices": [{"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rw"}]
                }
              }
            }
            """);
        OciProcess process = spec.Process!;
        Assert.Equal((true, new OciBox(25, 80), true, -5), (process.Terminal, process.ConsoleSize, process.NoNewPrivileges, process.OomScoreAdj));
        Assert.Equal((1u, 2u, 63u), (process.User.Uid, process.User.Gid, process.User.Umask));
        Assert.Equal([5u, 6u], process.User.AdditionalGids);
        Assert.Equal(["CAP_CHOWN"], process.Capabilities!.Ambient);
        Assert.Equal(new OciRlimit { Type = "RLIMIT_NOFILE", Soft = 10, Hard = ulong.MaxValue }, process.Rlimits[0]);
        Assert.True(spec.Mounts[1].IsBind && !spec.Mounts[0].IsBind && spec.Root!.Readonly);
        Assert.Equal(3, spec.Hooks!.Poststop[0].Timeout);
        OciLinux linux = spec.Linux!;
        Assert.Equal("/proc/1/ns/net", linux.FindNamespace("network")!.Path);
        Assert.Null(linux.FindNamespace("pid"));
        Assert.Equal(("1", 438u, "/a/b"), (linux.Sysctl["kernel.x"], linux.Devices[0].FileMode, linux.CgroupsPath));
        OciResources resources = linux.Resources!;
        Assert.Equal((100L, -1L, true, 7L), (resources.Memory!.Limit, resources.Memory.Swap, resources.Memory.DisableOomKiller, resources.Pids!.Limit));
        Assert.Equal((-1L, 100000ul, "0-1"), (resources.Cpu!.Quota, resources.Cpu.Period, resources.Cpu.Cpus));
        Assert.Equal((9ul, 4ul, "10"), (resources.BlockIo!.ThrottleReadIopsDevice[0].Rate, resources.HugepageLimits[0].Limit, resources.Unified["memory.high"]));
        Assert.DoesNotContain(IgnoredSettings.Find(spec, []), static member => !member.StartsWith("linux.namespaces", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "config.json: is not valid JSON (line 1, column 1)")]
    [InlineData("null", "config.json: must be an object")]
    [InlineData("[]", "config.json: is not valid JSON (line 1, column 2)")]
    [InlineData("{\"ociVersion\": 1}", "config.json: ociVersion: does not have the type")]
    [InlineData("{\"process\": {\"user\": {\"uid\": -1}}}", "config.json: process.user.uid: does not have the type")]
    [InlineData("{\"process\": {\"user\": {\"uid\": 4294967296}}}", "config.json: process.user.uid: does not have the type")]
    [InlineData("{\"mounts\": [{}, {\"options\": [1]}]}", "config.json: mounts[1].options[0]: does not have the type")]
    [InlineData("{\"annotations\": {\"a\": {}}}", "config.json: annotations.a: does not have the type")]
    public void WhatIsNotAConfiguration_IsSaidWhere(string text, string fault)
    {
        File.WriteAllText(Path.Combine(_bundle, "config.json"), text);
        Assert.False(BundleLoader.Load(_bundle).TryGet(out _, out string? error));
        Assert.StartsWith(fault, error, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingFile_IsNamed()
    {
        Assert.False(BundleLoader.Load("/no/such").TryGet(out _, out string? error));
        Assert.Equal("/no/such/config.json: no such file or directory", error);
    }

    [Fact]
    public void FileWithoutEnd_IsRefused()
    {
        File.CreateSymbolicLink(Path.Combine(_bundle, "config.json"), "/dev/zero");
        Assert.False(BundleLoader.Load(_bundle).TryGet(out _, out string? error));
        Assert.Equal($"config.json: is larger than {BundleLoader.MaxBytes} bytes", error);
    }

    [Fact]
    public void Nesting_IsBounded()
    {
        File.WriteAllText(Path.Combine(_bundle, "config.json"), new StringBuilder().Append('[', 100_000).ToString());
        Assert.False(BundleLoader.Load(_bundle).TryGet(out _, out string? error));
        Assert.StartsWith("config.json: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Template_IsValid_AndAsksForNothingInVain()
    {
        OciSpec spec = Load(SpecTemplate.Write(SpecTemplate.Create(["sh"], "/", null, isTerminal: true)));
        Assert.Empty(IgnoredSettings.Find(spec, []));
    }

    private OciSpec Load(string text)
    {
        File.WriteAllText(Path.Combine(_bundle, "config.json"), text);
        return BundleLoader.Load(_bundle).TryGet(out OciSpec? spec, out string? error) ? spec : throw new InvalidOperationException(error);
    }
}
