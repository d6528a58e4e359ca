namespace Moat.Kernel;

/// <summary>The texts that a network shows below /proc/net (proc(5)). Any thread.</summary>
public interface INetworkFiles
{
    /// <summary>The files' names.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>The content of one of them, now.</summary>
    string Read(string name);
}
