using System.Globalization;
using Moat.Linux;

namespace Moat.Host.Process;

/// <summary>A process of the host that is told apart from a later one with the same number by its start time (proc(5), stat field 22).</summary>
/// <param name="Pid">Its number in the caller's pid namespace.</param>
/// <param name="StartTicks">Clock ticks from the host's boot to its start.</param>
public readonly record struct HostProcess(int Pid, ulong StartTicks)
{
    private const int StateField = 0; // counted from behind the name
    private const int StartTimeField = 19;

    /// <summary>Whether it is there and no zombie.</summary>
    public bool IsAlive => Pid > 0 && ReadStat(Pid) is { } fields && Matches(fields) && fields[StateField] is not ("Z" or "X");

    /// <summary>The process that has a number now. ESRCH if none has.</summary>
    public static Result<HostProcess> Find(int pid) =>
        ReadStat(pid) is { } fields && ulong.TryParse(fields[StartTimeField], CultureInfo.InvariantCulture, out ulong start) ? new HostProcess(pid, start) : Errno.ESRCH;

    /// <summary>Sends a signal, to this process and to no other (pidfd_send_signal(2)). ESRCH if it is gone.</summary>
    public Errno Kill(Signal signal)
    {
        if (!Open().TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        errno = HostCall.Invoke(SyscallNumber.pidfd_send_signal, fd, (int)signal, 0, 0).Errno;
        HostMemory.Close(fd);
        return errno;
    }

    /// <summary>Waits until it has ended; it need not be a child.</summary>
    /// <param name="timeoutMs">-1 for no limit.</param>
    /// <returns>Whether it has ended.</returns>
    public bool WaitForEnd(int timeoutMs)
    {
        if (!Open().TryGet(out int fd, out _))
        {
            return true;
        }

        long deadline = timeoutMs < 0 ? long.MaxValue : Environment.TickCount64 + timeoutMs;
        bool hasEnded = false;
        while (!hasEnded && Environment.TickCount64 <= deadline)
        {
            int slice = (int)Math.Clamp(deadline - Environment.TickCount64, 0, 1000);
            hasEnded = HostFile.Poll(fd, PollEvents.POLLIN, slice) != PollEvents.None || !IsAlive;
            if (slice == 0)
            {
                break;
            }
        }

        HostMemory.Close(fd);
        return hasEnded;
    }

    // The descriptor keeps the number from being used again, so a match after opening it holds.
    private Result<int> Open()
    {
        SyscallResult opened = HostCall.Invoke(SyscallNumber.pidfd_open, Pid, 0);
        if (opened.IsError)
        {
            return opened.Errno;
        }

        if (ReadStat(Pid) is { } fields && Matches(fields))
        {
            return (int)opened.Raw;
        }

        HostMemory.Close((int)opened.Raw);
        return Errno.ESRCH;
    }

    private bool Matches(string[] fields) => ulong.TryParse(fields[StartTimeField], CultureInfo.InvariantCulture, out ulong start) && start == StartTicks;

    private static string[]? ReadStat(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields.Length > StartTimeField ? fields : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
