using Moat.Kernel.Namespaces;

namespace Moat.Kernel.Vfs;

/// <summary>What mount namespaces that were copied from one another share: their lock, numbers, and who propagates to whom. Members want <see cref="Lock"/> held.</summary>
internal sealed class MountForest(NamespaceIds ids)
{
    private int _lastMountId = 20;
    private int _lastGroupId;

    /// <summary>Guards the trees.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Numbers of namespaces.</summary>
    public NamespaceIds Ids => ids;

    /// <summary>A number for a mount.</summary>
    public int NextMountId() => ++_lastMountId;

    /// <summary>The other mounts that see what is mounted or unmounted below <paramref name="mount"/>: its peers, slaves of them, and what those propagate to.</summary>
    public static List<Mount> ReceiversOf(Mount mount)
    {
        List<Mount> receivers = [];
        Queue<PeerGroup> groups = new();
        if (mount.Peers is not null)
        {
            groups.Enqueue(mount.Peers);
        }

        while (groups.TryDequeue(out PeerGroup? group))
        {
            foreach (Mount peer in group.Peers)
            {
                if (peer != mount && !receivers.Contains(peer))
                {
                    receivers.Add(peer);
                }
            }

            foreach (Mount slave in group.Slaves)
            {
                if (slave == mount || receivers.Contains(slave))
                {
                    continue;
                }

                if (slave.Peers is not null)
                {
                    groups.Enqueue(slave.Peers);
                }
                else
                {
                    receivers.Add(slave);
                }
            }
        }

        return receivers;
    }

    /// <summary>A copy of a mount takes part in propagation as the original does.</summary>
    public static void Follow(Mount original, Mount copy)
    {
        if (original.Peers is { } peers)
        {
            copy.Peers = peers;
            peers.Peers.Add(copy);
        }

        if (original.Master is { } master)
        {
            copy.Master = master;
            master.Slaves.Add(copy);
        }
    }

    /// <summary>Changes how a mount propagates.</summary>
    public void SetPropagation(Mount mount, MountPropagation propagation)
    {
        mount.IsUnbindable = propagation == MountPropagation.Unbindable;
        switch (propagation)
        {
            case MountPropagation.Shared:
                if (mount.Peers is null)
                {
                    mount.Peers = new PeerGroup(++_lastGroupId);
                    mount.Peers.Peers.Add(mount);
                }

                break;
            case MountPropagation.Slave:
                // One that is alone in its group has nobody to be a slave of and becomes private.
                if (mount.Peers is { } peers)
                {
                    LeavePeers(mount);
                    if (peers.Peers.Count > 0)
                    {
                        LeaveMaster(mount);
                        mount.Master = peers;
                        peers.Slaves.Add(mount);
                    }
                }

                break;
            default:
                LeavePeers(mount);
                LeaveMaster(mount);
                break;
        }
    }

    private static void LeavePeers(Mount mount)
    {
        if (mount.Peers is not { } peers)
        {
            return;
        }

        peers.Peers.Remove(mount);
        mount.Peers = null;
        if (peers.Peers.Count > 0)
        {
            return;
        }

        // The last peer goes: its slaves stand alone from now on, or become its master's.
        foreach (Mount slave in peers.Slaves)
        {
            slave.Master = mount.Master;
            mount.Master?.Slaves.Add(slave);
        }

        peers.Slaves.Clear();
    }

    private static void LeaveMaster(Mount mount)
    {
        mount.Master?.Slaves.Remove(mount);
        mount.Master = null;
    }
}
