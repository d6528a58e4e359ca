namespace Moat.Engine.Tests.Oci;

/// <summary>The filter of system calls of a configuration, loaded with --oci-seccomp: what runc's does on Linux, it does on the container's processes in the sandbox.</summary>
public sealed class SeccompTests(BundleRoot root) : IClassFixture<BundleRoot>
{
    private const string Profile = """
        {
          "defaultAction": "SCMP_ACT_ALLOW",
          "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
          "syscalls": [
            {"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
            {"names": ["sethostname"], "action": "SCMP_ACT_KILL_PROCESS"},
            {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]}
          ]
        }
        """;

    private const string Script = "grep Seccomp: /proc/self/status; mkdir /tmp/d; kill -USR1 $$; kill -CONT $$ && echo continued; hostname x; echo $?";

    [Fact]
    public void Filter_DecidesOnTheContainersCalls_AndOnThoseOfExec()
    {
        using Bundle bundle = new(root, Script);
        bundle.Set("linux.seccomp", Profile).Set("process.capabilities", """{"bounding": ["CAP_SYS_ADMIN"], "effective": ["CAP_SYS_ADMIN"], "permitted": ["CAP_SYS_ADMIN"]}""");
        CommandResult result = bundle.Command("--oci-seccomp", "run", "--bundle", bundle.Folder, Bundle.Id);
        Assert.Equal("Seccomp:\t2\ncontinued\n159\n", result.Output); // 128 and SIGSYS
        Assert.Contains("can't create directory '/tmp/d': Permission denied", result.Error, StringComparison.Ordinal);
        Assert.Contains("Operation not permitted", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("seccomp", bundle.Log, StringComparison.Ordinal);

        using Bundle idle = new(root, "exec sleep 1000");
        idle.Set("linux.seccomp", Profile);
        Assert.Equal(0, idle.Detached("--oci-seccomp", "run", "--detach", "--bundle", idle.Folder, Bundle.Id).ExitCode);
        Assert.Contains("Permission denied", idle.Command("exec", Bundle.Id, "mkdir", "/tmp/d").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Filter_IsNotLoadedByDefault_AndThatIsSaid()
    {
        using Bundle bundle = new(root, "grep Seccomp: /proc/self/status; mkdir /tmp/d && echo made");
        bundle.Set("linux.seccomp", Profile);
        Assert.Equal("Seccomp:\t0\nmade\n", bundle.Run().Output);
        Assert.Contains("linux.seccomp (without --oci-seccomp)", bundle.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void Filter_ThatAsksSomebodyElse_IsRefused()
    {
        using Bundle bundle = new(root, "true");
        bundle.Set("linux.seccomp", """{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}""");
        CommandResult result = bundle.Command("--oci-seccomp", "run", "--bundle", bundle.Folder, Bundle.Id);
        Assert.Equal(128, result.ExitCode);
        Assert.StartsWith("runsc: config.json: linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY is not supported", result.Error, StringComparison.Ordinal);
        bundle.AssertNothingLeft();
    }
}
