using System.Globalization;
using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>children, syscall, schedstat and io of a task (proc(5)).</summary>
internal static class TaskLists
{
    /// <summary>/proc/PID/task/TID/children: a process's children are told at its leader.</summary>
    public static void Children(GuestTask task, PidNamespace viewer, SyntheticText text)
    {
        lock (task.Kernel.TaskLock)
        {
            foreach (ThreadGroup child in task == task.ThreadGroup.Leader ? task.ThreadGroup.Children : [])
            {
                text.Append(string.Create(CultureInfo.InvariantCulture, $"{child.Id.In(viewer)} "));
            }
        }
    }

    /// <summary>/proc/PID/syscall: the call that a sleeping or traced and stopped task is in; -1 where it is in none.</summary>
    public static void Syscall(GuestTask task, SyntheticText text)
    {
        if (!task.IsBlocked && task.Tracee is not { IsStopped: true })
        {
            text.AppendLine("running");
            return;
        }

        RegisterSet at = task.Registers;
        if ((int)at.OrigRax == -1)
        {
            text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"-1 0x{at.Rsp:x} 0x{at.Rip:x}"));
            return;
        }

        text.AppendLine(string.Create(
            CultureInfo.InvariantCulture, $"{at.OrigRax} 0x{at.Rdi:x} 0x{at.Rsi:x} 0x{at.Rdx:x} 0x{at.R10:x} 0x{at.R8:x} 0x{at.R9:x} 0x{at.Rsp:x} 0x{at.Rip:x}"));
    }

    /// <summary>/proc/PID/schedstat: time on a processor, time waiting for one (the host's to know: 0), time slices.</summary>
    public static void SchedulerStatistics(GuestTask task, SyntheticText text) =>
        text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"{task.CpuClock.Now.TotalNs} 0 {task.Usage.VoluntarySwitches}"));

    /// <summary>/proc/PID/io of a process, or of a thread. What reaches a disk the host knows alone: 0.</summary>
    public static TaskContent Io(bool isThread) => isThread ? static (task, text) => AppendIo(text, task.Usage) : static (task, text) => AppendIo(text, task.ThreadGroup.SumUsage());

    private static void AppendIo(SyntheticText text, TaskUsage usage)
    {
        StringBuilder lines = new();
        lines.Append(CultureInfo.InvariantCulture, $"rchar: {usage.ReadBytes}\nwchar: {usage.WrittenBytes}\nsyscr: {usage.ReadCalls}\nsyscw: {usage.WriteCalls}\n");
        lines.Append("read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
        text.Append(lines.ToString());
    }
}
