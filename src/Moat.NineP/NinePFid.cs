namespace Moat.NineP;

/// <summary>A fid of a connection.</summary>
internal sealed class NinePFid(NinePFile file)
{
    /// <summary>What it refers to.</summary>
    public NinePFile File { get; set; } = file;

    /// <summary>Whether it was opened.</summary>
    public bool IsOpen { get; set; }
}
