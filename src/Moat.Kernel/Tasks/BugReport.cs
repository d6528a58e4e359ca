using System.Globalization;
using System.Text;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>Tells what an administrator sends in when the kernel has failed: the exception with its stack, the application's registers, and the last calls of the task.</summary>
internal static class BugReport
{
    /// <summary>One line: which call of which task failed, and how.</summary>
    public static string Summarize(GuestTask task, Exception exception) =>
        $"bug in the kernel: {exception.GetType().Name} in {(SyscallNumber)task.Registers.OrigRax} of task {task.Tid} ({task.Name}): {exception.Message}";

    /// <summary>Everything.</summary>
    public static string Write(GuestTask task, Exception exception)
    {
        StringBuilder text = new();
        text.Append(Summarize(task, exception)).Append('\n').Append(exception).Append("\nregisters:\n");
        RegisterSet at = task.Registers;
        text.Append(CultureInfo.InvariantCulture, $"  rip {at.Rip:x16} rsp {at.Rsp:x16} rbp {at.Rbp:x16} flags {at.Eflags:x} orig_rax {at.OrigRax:x}\n");
        text.Append(CultureInfo.InvariantCulture, $"  rax {at.Rax:x16} rbx {at.Rbx:x16} rcx {at.Rcx:x16} rdx {at.Rdx:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"  rsi {at.Rsi:x16} rdi {at.Rdi:x16} r8  {at.R8:x16} r9  {at.R9:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"  r10 {at.R10:x16} r11 {at.R11:x16} r12 {at.R12:x16} r13 {at.R13:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"  r14 {at.R14:x16} r15 {at.R15:x16} fs  {at.FsBase:x16} gs  {at.GsBase:x16}\n");
        text.Append("last calls:\n");
        task.Calls.Describe(text);
        return text.ToString();
    }
}
