namespace Moat.Netstack.Link;

/// <summary>The program at the other end of a <see cref="TunLink"/>.</summary>
public interface ITunReader
{
    /// <summary>A packet can be read, or the interface has gone. Under locks of the stack: must not call back.</summary>
    void OnReadable();
}
