using System.Globalization;
using System.Text;
using Moat.Kernel;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Syscalls.Strace;

/// <summary>Prints system calls like <c>strace -f -T</c>: flags, strings and structures decoded, the result, the time. Used from every task's thread.</summary>
/// <param name="log">Where the lines go.</param>
/// <param name="clock">Measures the calls.</param>
/// <param name="only">The calls to show; null for all.</param>
/// <param name="maxStringLength">How much of a string is shown, in bytes.</param>
public sealed class StraceLog(IKernelLog log, IKernelClock clock, IReadOnlySet<SyscallNumber>? only, int maxStringLength)
{
    private readonly ArgumentFormatter _formatter = new(maxStringLength);

    /// <summary>A call is about to be made.</summary>
    /// <returns>To be handed to <see cref="End"/>; null if the call is not shown.</returns>
    public StraceCall? Begin(GuestTask task, ulong number, SyscallEntry? entry, in SyscallArguments arguments)
    {
        if (only is not null && (entry is null || !only.Contains(entry.Number)))
        {
            return null;
        }

        StringBuilder text = new(128);
        text.Append(CultureInfo.InvariantCulture, $"[{task.Tid,4}] {task.Name} ");
        if (entry is null)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(SyscallNumber)number}(");
            AppendRaw(text, arguments);
            return new StraceCall(null, text, 0, clock.MonotonicNs);
        }

        text.Append(entry.Number).Append('(');
        int firstOutput = 0;
        while (firstOutput < entry.Arguments.Count && !ArgumentFormatter.IsOutput(entry.Arguments[firstOutput]))
        {
            Append(text, task, entry, arguments, firstOutput++, default);
        }

        if (NeverReturns(entry.Number))
        {
            log.Debug($"{text}) = ?");
            return null;
        }

        return new StraceCall(entry, text, firstOutput, clock.MonotonicNs);
    }

    /// <summary>The call has returned.</summary>
    public void End(StraceCall call, GuestTask task, in SyscallArguments arguments, SyscallResult result)
    {
        StringBuilder text = call.Text;
        for (int i = call.FirstOutput; call.Entry is not null && i < call.Entry.Arguments.Count; i++)
        {
            Append(text, task, call.Entry, arguments, i, result);
        }

        text.Append(") = ");
        if (result.IsError)
        {
            text.Append(result.Errno is Errno.ERESTARTSYS or Errno.ERESTARTNOINTR or Errno.ERESTARTNOHAND or Errno.ERESTART_RESTARTBLOCK ? "? " : "-1 ").Append(result.Errno);
            text.Append(ErrorText.Of(result.Errno) is { } meaning ? $" ({meaning})" : "");
        }
        else if (call.Entry?.Number is SyscallNumber.mmap or SyscallNumber.brk or SyscallNumber.mremap)
        {
            text.AppendFormat(CultureInfo.InvariantCulture, "0x{0:x}", result.Raw);
        }
        else
        {
            text.Append(result.Raw);
        }

        long elapsedNs = clock.MonotonicNs - call.StartNs;
        log.Debug(text.Append(CultureInfo.InvariantCulture, $" <{elapsedNs / 1_000_000_000}.{elapsedNs / 1000 % 1_000_000:D6}>").ToString());
    }

    /// <summary>A handler is about to run.</summary>
    public void Signal(GuestTask task, in SignalInfo info) =>
        log.Debug(string.Create(CultureInfo.InvariantCulture, $"[{task.Tid,4}] {task.Name} --- {info.Signal} {{si_signo={info.Signal}, si_code={info.Code}}} ---"));

    /// <summary>The task ends.</summary>
    /// <param name="task">The task.</param>
    /// <param name="status">A wait status.</param>
    public void Ended(GuestTask task, int status)
    {
        int signal = status & 0x7f;
        string how = signal == 0 ? $"exited with {(status >> 8) & 0xff}" : $"killed by {(Signal)signal}{((status & 0x80) != 0 ? " (core dumped)" : "")}";
        log.Debug(string.Create(CultureInfo.InvariantCulture, $"[{task.Tid,4}] {task.Name} +++ {how} +++"));
    }

    private static bool NeverReturns(SyscallNumber number) => number is SyscallNumber.exit or SyscallNumber.exit_group or SyscallNumber.rt_sigreturn;

    private static void AppendRaw(StringBuilder text, in SyscallArguments arguments)
    {
        for (int i = 0; i < 6; i++)
        {
            text.AppendFormat(CultureInfo.InvariantCulture, i == 0 ? "0x{0:x}" : ", 0x{0:x}", arguments[i]);
        }
    }

    private void Append(StringBuilder text, GuestTask task, SyscallEntry entry, in SyscallArguments arguments, int index, SyscallResult result)
    {
        // open(2) takes a mode only where it may make a file.
        const ulong MakesFile = (ulong)(OpenFlags.O_CREAT | OpenFlags.O_TMPFILE) & ~(ulong)OpenFlags.O_DIRECTORY;
        if (index > 0 && entry.Arguments[index] == Arg.Mode && entry.Arguments[index - 1] == Arg.OpenFlags && (arguments[index - 1] & MakesFile) == 0)
        {
            return;
        }

        text.Append(index == 0 ? "" : ", ");
        _formatter.Append(text, task, entry.Arguments[index], arguments, index, result);
    }
}
