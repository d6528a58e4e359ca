namespace Moat.Kernel.Vfs;

/// <summary>Where a write goes (pwritev2(2)).</summary>
public enum WritePlacement
{
    /// <summary>As the file's O_APPEND says.</summary>
    ByFlags,

    /// <summary>RWF_APPEND: to the end.</summary>
    AtEnd,

    /// <summary>RWF_NOAPPEND: to the offset.</summary>
    AtOffset,
}
