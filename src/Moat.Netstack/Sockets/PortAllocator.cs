using Moat.Netstack.Wire;

namespace Moat.Netstack.Sockets;

/// <summary>The local ports of one protocol. Any thread.</summary>
public sealed class PortAllocator(INetHost host)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ushort, List<PortBinding>> _bindings = []; // guarded by _lock
    private ushort _first = 32768; // guarded by _lock
    private ushort _last = 60999; // guarded by _lock

    /// <summary>ip_local_port_range: the ports that are chosen for who does not care.</summary>
    public (ushort First, ushort Last) Range
    {
        get
        {
            lock (_lock)
            {
                return (_first, _last);
            }
        }

        set
        {
            lock (_lock)
            {
                (_first, _last) = value;
            }
        }
    }

    /// <summary>Claims a port.</summary>
    /// <param name="wanted">What is wanted; port 0 lets one be chosen.</param>
    /// <param name="mayUse">Asked of each candidate when one is chosen: whether the socket can use it (no connection to the same peer from it). It captures nothing that outlives the call.</param>
    /// <param name="binding">What was claimed.</param>
    /// <returns>AddressInUse.</returns>
    public NetError Bind(PortBinding wanted, Func<ushort, bool>? mayUse, out PortBinding? binding)
    {
        lock (_lock)
        {
            binding = null;
            if (wanted.Local.Port != 0)
            {
                if (!TryClaimLocked(wanted))
                {
                    return NetError.AddressInUse;
                }

                binding = wanted;
                return NetError.None;
            }

            // From a random start (RFC 6056 section 3.3.2).
            Span<byte> random = stackalloc byte[sizeof(uint)];
            host.Fill(random);
            uint count = (uint)(_last - _first + 1);
            uint start = BitConverter.ToUInt32(random) % count;
            for (uint i = 0; i < count; i++)
            {
                ushort port = (ushort)(_first + ((start + i) % count));
                PortBinding candidate = wanted with { Local = new IpEndpoint(wanted.Local.Address, port) };
                if ((mayUse is null || mayUse(port)) && TryClaimLocked(candidate))
                {
                    binding = candidate;
                    return NetError.None;
                }
            }

            return NetError.AddressInUse;
        }
    }

    /// <summary>A bound socket wants to listen: others may forbid it.</summary>
    /// <returns>AddressInUse.</returns>
    public NetError Listen(PortBinding binding)
    {
        lock (_lock)
        {
            binding.IsListening = true;
            foreach (PortBinding other in _bindings[binding.Local.Port])
            {
                if (!ReferenceEquals(other, binding) && other.IsListening && other.Overlaps(binding) && !other.MayShare(binding))
                {
                    binding.IsListening = false;
                    return NetError.AddressInUse;
                }
            }

            return NetError.None;
        }
    }

    /// <summary>The socket listens no more.</summary>
    public void EndListening(PortBinding binding)
    {
        lock (_lock)
        {
            binding.IsListening = false;
        }
    }

    /// <summary>A connection holds its listener's port as well, also when the listener is gone.</summary>
    internal void Retain(PortBinding binding)
    {
        lock (_lock)
        {
            binding.Holders++;
        }
    }

    /// <summary>Gives a port back; the last who holds it ends the claim.</summary>
    public void Release(PortBinding binding)
    {
        lock (_lock)
        {
            if (--binding.Holders == 0 && _bindings.TryGetValue(binding.Local.Port, out List<PortBinding>? list))
            {
                _ = list.RemoveAll(other => ReferenceEquals(other, binding));
                if (list.Count == 0)
                {
                    _ = _bindings.Remove(binding.Local.Port);
                }
            }
        }
    }

    private bool TryClaimLocked(PortBinding wanted)
    {
        if (!_bindings.TryGetValue(wanted.Local.Port, out List<PortBinding>? list))
        {
            _bindings.Add(wanted.Local.Port, [wanted]);
            return true;
        }

        foreach (PortBinding other in list)
        {
            if (other.Overlaps(wanted) && !other.MayShare(wanted))
            {
                return false;
            }
        }

        list.Add(wanted);
        return true;
    }
}
