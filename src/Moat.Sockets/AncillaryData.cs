using Moat.Kernel.Vfs;

namespace Moat.Sockets;

/// <summary>What travels beside the bytes of a message (cmsg(3), unix(7)). It owns a reference of each file until it is consumed.</summary>
public sealed class AncillaryData
{
    /// <summary>SCM_MAX_FD: files of one message.</summary>
    public const int MaxFiles = 253;

    /// <summary>The files of SCM_RIGHTS.</summary>
    public List<FileDescription> Files { get; } = [];

    /// <summary>SCM_CREDENTIALS: given by the sender, or known of it.</summary>
    public PeerCredentials? Credentials { get; set; }

    /// <summary>Messages of other levels, as bytes: what IP_PKTINFO, SO_TIMESTAMP and the like tell. Null if there are none.</summary>
    public List<ControlMessage>? Messages { get; private set; }

    /// <summary>Adds a message of another level.</summary>
    public void Add(int level, int type, byte[] data) => (Messages ??= []).Add(new ControlMessage(level, type, data));

    /// <summary>Gives the files back.</summary>
    public void ReleaseFiles()
    {
        foreach (FileDescription file in Files)
        {
            file.Release();
        }

        Files.Clear();
    }
}
