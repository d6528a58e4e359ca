using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID/comm: the task's name; threads of the same process may set it.</summary>
internal sealed class CommFile(ProcFilesystem proc, GuestTask task) : SyntheticFile(proc, (Mode)0x1A4)
{
    /// <inheritdoc/>
    public override Errno Generate(GuestTask reader, SyntheticText text)
    {
        text.AppendLine(task.Name);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Store(GuestTask writer, ReadOnlySpan<byte> value)
    {
        if (writer.ThreadGroup != task.ThreadGroup)
        {
            return Errno.EINVAL;
        }

        int end = value.IndexOfAny((byte)'\n', (byte)0);
        task.SetName(end < 0 ? value : value[..end]);
        return Errno.None;
    }
}
