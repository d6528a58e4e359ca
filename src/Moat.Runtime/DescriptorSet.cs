using Moat.Host;

namespace Moat.Runtime;

/// <summary>Descriptors that are closed together when a piece of work is over, whatever its outcome.</summary>
internal sealed class DescriptorSet : IDisposable
{
    private readonly List<int> _descriptors = [];

    /// <summary>Takes a descriptor over. Always true, to stand in conditions.</summary>
    public bool Add(int descriptor)
    {
        _descriptors.Add(descriptor);
        return true;
    }

    /// <summary>Closes one before the others.</summary>
    public void Close(int descriptor)
    {
        if (_descriptors.Remove(descriptor))
        {
            HostMemory.Close(descriptor);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _descriptors.ForEach(static descriptor => HostMemory.Close(descriptor));
        _descriptors.Clear();
    }
}
