namespace Moat.Engine.Tests.Oci;

/// <summary>What config.json says is so in the container.</summary>
public sealed class ConfigurationTests(BundleRoot root) : IClassFixture<BundleRoot>
{
    [Theory]
    [InlineData("hostname", "\"given\"", "hostname", "given\n")]
    [InlineData("domainname", "\"example\"", "cat /proc/sys/kernel/domainname", "example\n")]
    [InlineData("process.cwd", "\"/new/one\"", "pwd", "/new/one\n")]
    [InlineData("process.env", "[\"PATH=/bin\", \"A=b c\"]", "echo \"$A\"", "b c\n")]
    [InlineData("process.user", "{\"uid\": 7, \"gid\": 8, \"additionalGids\": [10, 9], \"umask\": 63}", "id -u; id -G; umask", "7\n8 9 10\n0077\n")]
    [InlineData("process.rlimits", "[{\"type\": \"RLIMIT_NOFILE\", \"soft\": 10, \"hard\": 20}, {\"type\": \"RLIMIT_FSIZE\", \"soft\": 1024, \"hard\": 2048}]", "ulimit -n; ulimit -Hn; ulimit -f", "10\n20\n2\n")]
    [InlineData("process.capabilities", "{\"bounding\": [\"CAP_KILL\", \"CAP_CHOWN\"], \"permitted\": [\"CAP_KILL\"], \"effective\": []}", "grep -E 'CapPrm|CapBnd' /proc/self/status", "CapPrm:\t0000000000000021\nCapBnd:\t0000000000000021\n")]
    [InlineData("process.noNewPrivileges", "false", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t0\n")]
    [InlineData("root.readonly", "true", "touch /x 2>&1", "touch: /x: Read-only file system\n")]
    [InlineData("linux.maskedPaths", "[\"/etc\", \"/proc/version\", \"/no/such\"]", "ls -A /etc; cat /proc/version; touch /etc/x 2>&1", "touch: /etc/x: Read-only file system\n")]
    [InlineData("linux.readonlyPaths", "[\"/tmp\", \"/no/such\"]", "touch /tmp/x 2>&1; touch /var/x && echo ok", "touch: /tmp/x: Read-only file system\nok\n")]
    [InlineData("linux.devices", "[{\"path\": \"/dev/mine\", \"type\": \"c\", \"major\": 1, \"minor\": 5, \"fileMode\": 420, \"uid\": 3, \"gid\": 4}]", "stat -c '%F %a %u %g' /dev/mine; head -c 2 /dev/mine | od -An -tx1", "character special file 644 3 4\n 00 00\n")]
    [InlineData("linux.sysctl", "{\"kernel.domainname\": \"by-sysctl\", \"vm.swappiness\": \"60\"}", "cat /proc/sys/kernel/domainname", "by-sysctl\n")]
    public void Member_HasItsEffect(string member, string json, string script, string output)
    {
        using Bundle bundle = new(root, script);
        bundle.Set(member, json);
        CommandResult result = bundle.Run();
        Assert.Equal(output, result.Output);
        Assert.Equal("", result.Error);
    }

    [Theory]
    [InlineData("1.0.0")]
    [InlineData("1.0.2-dev")]
    [InlineData("1.1.0")]
    [InlineData("1.2.0")]
    public void Versions_AreUnderstood(string version)
    {
        using Bundle bundle = new(root, "exit 0");
        Assert.Equal(0, bundle.Set("ociVersion", $"\"{version}\"").Run().ExitCode);
    }

    [Fact]
    public void Mounts_ShowTheHostsFiles()
    {
        using Bundle bundle = new(root, "cat /in; echo x >> /in; cat /ro/config.json | wc -c; touch /ro/x 2>&1; stat -c %a /small");
        string file = Path.Combine(bundle.Folder, "shared");
        File.WriteAllText(file, "shared\n");
        bundle.Add("mounts", $$"""{"destination": "/in", "type": "bind", "source": "shared", "options": ["bind"]}""");
        bundle.Add("mounts", $$"""{"destination": "/ro", "type": "bind", "source": "{{bundle.Folder}}", "options": ["rbind", "ro"]}""");
        bundle.Add("mounts", """{"destination": "/small", "type": "tmpfs", "source": "tmpfs", "options": ["mode=0700", "size=16k"]}""");
        CommandResult result = bundle.Run();
        Assert.Equal($"shared\n{new FileInfo(bundle.ConfigFile).Length}\ntouch: /ro/x: Read-only file system\n700\n", result.Output);
        Assert.Equal("shared\nx\n", File.ReadAllText(file));
    }

    [Fact]
    public void WhatHasNoEffect_IsSaidInOneLine()
    {
        using Bundle bundle = new(root, "exit 0");
        bundle.Set("linux.seccomp", """{"defaultAction": "SCMP_ACT_ALLOW"}""").Set("process.apparmorProfile", "\"docker-default\"").Set("linux.intelRdt", """{"closID": "x"}""")
            .Set("linux.namespaces", """[{"type": "network"}, {"type": "mount"}, {"type": "uts"}, {"type": "ipc"}]""").Set("linux.sysctl", """{"net.sctp.rto_min": "1"}""")
            .Set("linux.devices", """[{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}]""");
        CommandResult result = bundle.Run();
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        string line = Assert.Single(bundle.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("{\"level\":\"warning\",\"msg\":\"config.json: without effect: ", line, StringComparison.Ordinal);
        foreach (string member in (string[])["linux.seccomp", "process.apparmorProfile", "linux.intelRdt", "no pid namespace", "linux.sysctl[net.sctp.rto_min]", "linux.devices (/dev/fuse"])
        {
            Assert.Contains(member, line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void WhatHasNoEffect_GoesToStandardErrorWithoutALog()
    {
        using Bundle bundle = new(root, "exit 0");
        bundle.Set("linux.seccomp", """{"defaultAction": "SCMP_ACT_ALLOW"}""");
        CommandResult result = Runsc.Execute([Runsc.Executable, "--root", bundle.State, "run", "--bundle", bundle.Folder, Bundle.Id]);
        Assert.Contains("runsc: config.json: without effect: linux.seccomp", result.Error, StringComparison.Ordinal);
    }
}
