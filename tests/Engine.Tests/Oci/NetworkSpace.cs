using System.Diagnostics;

namespace Moat.Engine.Tests.Oci;

/// <summary>A network namespace of a test's own, which ends with it.</summary>
public sealed class NetworkSpace : IDisposable
{
    private readonly Process _process = Process.Start("unshare", ["--net", "sleep", "6000"]);

    /// <summary>A process in it.</summary>
    public int Id
    {
        get
        {
            // unshare becomes sleep in its new namespace.
            Patience.Await(() => File.ReadAllText($"/proc/{_process.Id}/comm") == "sleep\n", "the namespace");
            return _process.Id;
        }
    }

    /// <summary>Its file.</summary>
    public string Path => $"/proc/{Id}/ns/net";

    /// <summary>A command line that begins with these runs in it.</summary>
    public IReadOnlyList<string> Prefix => ["nsenter", $"--net={Path}"];

    /// <summary>Runs a script in it.</summary>
    public CommandResult Run(string script) => Runsc.Execute([.. Prefix, "/bin/sh", "-c", script]);

    /// <summary>As above; each of its commands must succeed.</summary>
    public void Must(string script)
    {
        CommandResult result = Run("set -e\n" + script);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
