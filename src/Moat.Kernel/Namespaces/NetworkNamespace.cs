using Moat.Collections;
using Moat.Kernel.Credentials;
using Moat.Linux;

namespace Moat.Kernel.Namespaces;

/// <summary>A network of its own (network_namespaces(7)): interfaces, addresses, routes, rules, sockets. Tasks, sockets, descriptors and bind mounts keep it; with the last of them it ends. Any thread.</summary>
/// <param name="id">The number that /proc/PID/ns/net shows.</param>
/// <param name="owner">Whose capabilities count in it.</param>
public abstract class NetworkNamespace(ulong id, UserNamespace owner) : INamespace
{
    private UserCount _users;

    /// <inheritdoc/>
    public ulong Id => id;

    /// <inheritdoc/>
    public ulong CloneFlag => Tasks.CloneRequest.NewNetwork;

    /// <summary>Whose capabilities count in it.</summary>
    public UserNamespace Owner => owner;

    /// <summary>What it shows below /proc/net.</summary>
    public abstract INetworkFiles Files { get; }

    /// <summary>/proc/sys/net.</summary>
    public abstract INetworkSettings Settings { get; }

    /// <summary>What /sys/class/net shows of its interfaces: paths begin with their names.</summary>
    public abstract INetworkSettings Devices { get; }

    /// <summary>CLONE_NEWNET: another one, with nothing but a loopback interface that is down. The caller is its first user.</summary>
    /// <param name="maker">The user namespace it belongs to.</param>
    /// <returns>ENOSPC if there are too many.</returns>
    public abstract Result<NetworkNamespace> MakeNew(UserNamespace maker);

    /// <summary>A user that another one vouches for, or the first.</summary>
    public void AddUser() => _users.Add();

    /// <inheritdoc/>
    public bool TryAddUser() => _users.TryAdd();

    /// <inheritdoc/>
    public void RemoveUser()
    {
        if (_users.RemoveLast())
        {
            End();
        }
    }

    /// <summary>The last user has gone.</summary>
    protected abstract void End();
}
