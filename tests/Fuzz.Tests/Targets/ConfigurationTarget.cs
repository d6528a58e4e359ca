using System.Text;
using System.Text.Json;
using Moat.Oci;

namespace Moat.Fuzz.Targets;

/// <summary>Documents of an engine: config.json, a process, limits. What is taken can be written, and what was written is taken.</summary>
internal sealed class ConfigurationTarget : FuzzTarget
{
    /// <inheritdoc/>
    public override string Name => "configuration";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds() =>
    [
        JsonSerializer.SerializeToUtf8Bytes(SpecTemplate.Create(["sh", "-c", "true"], "/", "/proc/1/ns/net", isTerminal: true), OciJson.Default.OciSpec),
        .. ((string[])
        [
            """{"ociVersion":"1.0.0","process":{"args":["/bin/true"],"cwd":"/"},"root":{"path":"rootfs"}}""",
            """{"ociVersion":"1.2.0","process":{"args":["a"],"cwd":"/","env":null,"rlimits":[{"type":"RLIMIT_NOFILE","soft":10,"hard":18446744073709551615}],"user":{"uid":1,"additionalGids":[5]}},"root":{"path":"r"},"mounts":[{"destination":"/b","source":"/x","options":["rbind","ro"]}]}""",
            """{"ociVersion":"1.1.0","root":{"path":"r"},"hooks":{"poststop":[{"path":"/p","args":["p"],"timeout":3}]},"linux":{"namespaces":[{"type":"network","path":"/n"}],"devices":[{"path":"/dev/x","type":"c","major":1,"minor":3}],"maskedPaths":["/m"],"sysctl":{"kernel.x":"1"}},"annotations":{"k":"v"}}""",
            """{"args":["sh"],"env":["A=b"],"cwd":"/w","noNewPrivileges":true,"oomScoreAdj":-5,"capabilities":{"bounding":["CAP_KILL"],"ambient":["CAP_CHOWN"]},"consoleSize":{"height":25,"width":80}}""",
            """{"memory":{"limit":100,"swap":-1},"pids":{"limit":7},"cpu":{"shares":5,"quota":-1,"cpus":"0-1"},"devices":[{"allow":false,"access":"rwm"}],"unified":{"a":"b"},"hugepageLimits":[{"pageSize":"2MB","limit":4}],"blockIO":{"weight":5}}""",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        if (BundleLoader.Parse(input, "config.json", OciJson.Default.OciSpec).TryGet(out OciSpec? spec, out string? error))
        {
            if (SpecValidator.Validate(spec) is { } fault)
            {
                Assert.DoesNotContain(Checked<OciSpec>.Fail(fault).Error!, static c => char.IsControl(c));
            }
            else
            {
                _ = IgnoredSettings.Find(spec, []);
            }

            byte[] written = JsonSerializer.SerializeToUtf8Bytes(spec, OciJson.Default.OciSpec);
            Assert.True(BundleLoader.Parse(written, "again", OciJson.Default.OciSpec).TryGet(out _, out error), error);
        }
        else
        {
            Assert.DoesNotContain(error, static c => char.IsControl(c));
        }

        if (BundleLoader.Parse(input, "process", OciJson.Default.OciProcess).TryGet(out OciProcess? process, out _))
        {
            _ = SpecValidator.ValidateProcess(process);
        }

        _ = BundleLoader.Parse(input, "limits", OciJson.Default.OciResources);
    }
}
