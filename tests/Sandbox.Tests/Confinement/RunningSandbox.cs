using System.Diagnostics;

namespace Moat.Sandbox.Tests.Confinement;

/// <summary>A sandbox with a process that waits, until it is disposed of.</summary>
internal sealed class RunningSandbox : IDisposable
{
    private readonly Process _command;

    /// <summary>Starts it and waits until the process in it runs.</summary>
    public RunningSandbox(params string[] runsc)
    {
        string[] command = [.. runsc, "do", "/bin/sh", "-c", "echo up; exec sleep 1000"];
        _command = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardInput = true, RedirectStandardError = true })!;
        string? line = _command.StandardOutput.ReadLine();
        if (line != "up")
        {
            throw new InvalidOperationException($"the sandbox did not start: {line} {_command.StandardError.ReadToEnd()}");
        }

        // The program that said so is being replaced: the stub that ran it goes, and another is made ready. That is over when nobody has anything to do any more.
        List<SandboxProcess> settled = [];
        Patience.Await(() => HasSettled(ref settled), "a sandbox that waits");
        Processes = settled;
    }

    /// <summary>The command and all processes of the sandbox.</summary>
    public IReadOnlyList<SandboxProcess> Processes { get; }

    /// <summary>The command that stands for the sandbox.</summary>
    public Process Command => _command;

    /// <summary>The Sentry.</summary>
    public SandboxProcess Sentry => Processes.Single(static process => process.CommandLine.StartsWith("runsc boot", StringComparison.Ordinal));

    /// <summary>The Gofer.</summary>
    public SandboxProcess Gofer => Processes.Single(static process => process.CommandLine.StartsWith("runsc gofer", StringComparison.Ordinal));

    /// <summary>The stubs: they have no command line, since the memory that held it is gone.</summary>
    public IReadOnlyList<SandboxProcess> Stubs => [.. Processes.Where(static process => process.CommandLine.Length == 0)];

    // Whether it has a stub, and all its threads sleep, now and a while ago, with the same processes.
    private bool HasSettled(ref List<SandboxProcess> last)
    {
        const int WhileMs = 200;
        List<SandboxProcess> before = last;
        Thread.Sleep(WhileMs);
        last = SandboxProcess.Tree(_command.Id);
        if (!last.TrueForAll(static process => process.Sleeps()) || !last.Exists(static process => process.CommandLine.Length == 0))
        {
            last = [];
            return false;
        }

        return last.SequenceEqual(before);
    }

    public void Dispose()
    {
        _command.Kill(); // the Sentry kills the sandbox when the Gofer goes, which goes with it
        _command.WaitForExit();
        foreach (SandboxProcess process in Processes)
        {
            if (process.CommandLine.StartsWith("runsc boot", StringComparison.Ordinal))
            {
                Runsc.Execute(["/bin/sh", "-c", $"kill -9 {process.Pid} 2>/dev/null; true"]);
            }
        }

        _command.Dispose();
    }
}
