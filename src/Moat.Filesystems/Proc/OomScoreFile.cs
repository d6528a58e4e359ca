using System.Globalization;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID/oom_score_adj: kept and inherited; the sandbox as a whole is what the host's killer sees.</summary>
internal sealed class OomScoreFile(ProcFilesystem proc, GuestTask task) : SyntheticFile(proc, (Mode)0x1A4)
{
    /// <inheritdoc/>
    public override Errno Generate(GuestTask reader, SyntheticText text)
    {
        text.AppendLine(task.ThreadGroup.OomScoreAdjustment.ToString(CultureInfo.InvariantCulture));
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Store(GuestTask writer, ReadOnlySpan<byte> value)
    {
        if (!int.TryParse(value.TrimEnd((byte)'\n'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int score) || score is < -1000 or > 1000)
        {
            return Errno.EINVAL;
        }

        ThreadGroup group = task.ThreadGroup;
        bool isPrivileged = writer.Credentials.HasCapability(Capability.CAP_SYS_RESOURCE);
        if (score < group.MinOomScoreAdjustment && !isPrivileged)
        {
            return Errno.EACCES;
        }

        group.OomScoreAdjustment = score;
        if (isPrivileged)
        {
            group.MinOomScoreAdjustment = score;
        }

        return Errno.None;
    }
}
