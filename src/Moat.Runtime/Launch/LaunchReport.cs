using Moat.Control;
using Moat.Host;
using Moat.Host.Process;
using Moat.Linux;

namespace Moat.Runtime.Launch;

/// <summary>Waits for what a child of ours says of its start.</summary>
internal static class LaunchReport
{
    /// <summary>Waits for the report.</summary>
    /// <param name="readyRead">Where it comes.</param>
    /// <param name="pid">Who sends it.</param>
    /// <param name="role">What to call it.</param>
    /// <returns>The report of a start that has succeeded.</returns>
    /// <exception cref="RuntimeException">It failed; then it is gone.</exception>
    public static BootReport Await(int readyRead, int pid, string role)
    {
        Result<BootReport> read = ConfigFile.Read(readyRead, ControlJson.Default.BootReport);
        if (read.TryGet(out BootReport? report, out Errno errno) && report.Error is null)
        {
            return report;
        }

        HostCall.Invoke(SyscallNumber.kill, pid, (int)Signal.SIGKILL);
        WaitStatus.WaitFor(pid).TryGet(out WaitStatus status, out _);
        string end = status.WasKilled && status.TermSignal != (int)Signal.SIGKILL ? $"killed by signal {status.TermSignal}" : status.HasExited ? $"exit status {status.ExitCode}" : "no report";
        throw new RuntimeException(report?.Error ?? (errno == Errno.ENODATA ? $"{role} ended while it started ({end}); see the debug log" : $"{role} did not report: {errno}"));
    }
}
