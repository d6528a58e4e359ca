using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>A read-only file of which the content is one function of the reader; the function holds no state.</summary>
public sealed class TextFile(SyntheticFilesystem filesystem, Func<GuestTask, string> content, Mode permissions = (Mode)0x124) : SyntheticFile(filesystem, permissions)
{
    /// <inheritdoc/>
    public override Errno Generate(GuestTask task, SyntheticText text)
    {
        text.Append(content(task));
        return Errno.None;
    }
}
