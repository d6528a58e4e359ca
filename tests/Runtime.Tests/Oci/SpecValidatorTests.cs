using Moat.Oci;

namespace Moat.Runtime.Tests.Oci;

/// <summary>Each rule of the validator, with the member that it names.</summary>
public sealed class SpecValidatorTests
{
    private static readonly OciSpec s_valid = new()
    {
        OciVersion = "1.0.2",
        Root = new OciRoot { Path = "rootfs" },
        Process = new OciProcess { Args = ["sh"], Cwd = "/" },
        Linux = new OciLinux(),
    };

    [Fact]
    public void Valid_HasNoFault() => Assert.Null(SpecValidator.Validate(s_valid));

    [Theory]
    [InlineData("1.0.0", true)]
    [InlineData("1.0.0-rc5", true)]
    [InlineData("1.2.1", true)]
    [InlineData("1.99.0", true)]
    [InlineData("0.9.0", false)]
    [InlineData("2.0.0", false)]
    [InlineData("1.", false)]
    [InlineData("1.x", false)]
    [InlineData("10.0.0", false)]
    public void Version_IsOneOfTheFirstMajor(string version, bool isSupported) => Assert.Equal(isSupported, SpecVersions.IsSupported(version));

    [Fact]
    public void Process_IsChecked()
    {
        Expect("process.args: must not be empty", Process(static process => process with { Args = [] }));
        Expect("process.args[0]: must not be empty", Process(static process => process with { Args = [""] }));
        Expect("process.args[1]: must be a string without zero bytes", Process(static process => process with { Args = ["a", "b\0"] }));
        Expect("process.env[0]: must be a string without zero bytes", Process(static process => process with { Env = [null!] }));
        Expect("process.cwd: must not be empty", Process(static process => process with { Cwd = "" }));
        Expect("process.cwd: must be an absolute path", Process(static process => process with { Cwd = "a" }));
        Expect("process.oomScoreAdj: must be between -1000 and 1000", Process(static process => process with { OomScoreAdj = 1001 }));
        Expect("process.rlimits[0].soft: must not exceed hard", Process(static process => process with { Rlimits = [new OciRlimit { Type = "RLIMIT_CPU", Soft = 2, Hard = 1 }] }));
        OciRlimit limit = new() { Type = "RLIMIT_CPU", Soft = 1, Hard = 1 };
        Expect("process.rlimits[1].type: RLIMIT_CPU is given twice", Process(process => process with { Rlimits = [limit, limit] }));
        Expect("process.capabilities.permitted[0]: \"kill\" is not a capability", Process(static process => process with { Capabilities = new OciCapabilities { Permitted = ["kill"] } }));
    }

    [Fact]
    public void Mounts_AreChecked()
    {
        Expect("mounts[0].destination: must be a path", Mount(new OciMount { Type = "tmpfs" }));
        Expect("mounts[0].source: must not be empty for a bind mount", Mount(new OciMount { Destination = "/a", Type = "bind" }));
        Expect("mounts[0].type: must not be empty", Mount(new OciMount { Destination = "/a", Source = "/b" }));
        Expect("mounts[0].uidMappings: id-mapped mounts are not supported", Mount(new OciMount { Destination = "/a", Type = "tmpfs", UidMappings = [new OciIdMapping(0, 0, 1)] }));
        Expect("mounts[0]: must be an object", Mount(null!));
        Assert.Null(SpecValidator.Validate(Mount(new OciMount { Destination = "relative", Source = "/b", Options = ["rbind"] })));
    }

    [Fact]
    public void Hooks_AreChecked()
    {
        Expect("hooks.poststop[1].path: must be an absolute path", s_valid with { Hooks = new OciHooks { Poststop = [new OciHook { Path = "/a" }, new OciHook { Path = "b" }] } });
        Expect("hooks.createRuntime[0].timeout: must be greater than zero", s_valid with { Hooks = new OciHooks { CreateRuntime = [new OciHook { Path = "/a", Timeout = 0 }] } });
    }

    [Fact]
    public void Linux_IsChecked()
    {
        Expect("linux.namespaces[0].type: \"x\" is not a namespace type", Linux(static linux => linux with { Namespaces = [new OciNamespace { Type = "x" }] }));
        Expect("linux.namespaces[1].type: pid is given twice", Linux(static linux => linux with { Namespaces = [new OciNamespace { Type = "pid" }, new OciNamespace { Type = "pid" }] }));
        Expect("linux.namespaces[0].path: must be an absolute path", Linux(static linux => linux with { Namespaces = [new OciNamespace { Type = "pid", Path = "x" }] }));
        Expect("linux.cgroupsPath: must be a path without \"..\"", Linux(static linux => linux with { CgroupsPath = "/a/../b" }));
        Expect("linux.devices[0].type: \"z\" is not a device type", Linux(static linux => linux with { Devices = [new OciDevice { Type = "z", Path = "/dev/a" }] }));
        Expect("linux.devices[0].path: must be an absolute path", Linux(static linux => linux with { Devices = [new OciDevice { Type = "c", Path = "a" }] }));
        Expect("linux.uidMappings: user id mappings are not supported yet", Linux(static linux => linux with { UidMappings = [new OciIdMapping(0, 100000, 65536)] }));
    }

    [Fact]
    public void IgnoredSettings_AreFound()
    {
        OciSpec spec = Linux(static linux => linux with { MountLabel = "l", RootfsPropagation = "shared", Namespaces = [new OciNamespace { Type = "ipc", Path = "/proc/1/ns/ipc" }] });
        spec = spec with { Process = spec.Process! with { SelinuxLabel = "s" } };
        IReadOnlyList<string> found = IgnoredSettings.Find(spec, []);
        Assert.Contains("process.selinuxLabel", found);
        Assert.Contains("linux.mountLabel", found);
        Assert.Contains("linux.rootfsPropagation", found);
        Assert.Contains("linux.namespaces (ipc: it is no container's of the sandbox)", found);
        Assert.Contains("linux.namespaces (no uts namespace: a sandbox always has its own)", found);
    }

    private static OciSpec Process(Func<OciProcess, OciProcess> change) => s_valid with { Process = change(s_valid.Process!) };

    private static OciSpec Linux(Func<OciLinux, OciLinux> change) => s_valid with { Linux = change(s_valid.Linux!) };

    private static OciSpec Mount(OciMount mount) => s_valid with { Mounts = [mount] };

    private static void Expect(string fault, OciSpec spec) => Assert.Equal(fault, SpecValidator.Validate(spec));
}
