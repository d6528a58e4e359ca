using Moat.Host;
using Moat.Linux;

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

    /// <summary>Takes over what was opened.</summary>
    /// <param name="opened">The descriptor, or the error.</param>
    /// <param name="name">What it is, for the message.</param>
    /// <exception cref="RuntimeException">There is none.</exception>
    public int Own(Result<int> opened, string name)
    {
        int descriptor = opened.TryGet(out int value, out Errno errno) ? value : throw new RuntimeException($"{name}: {errno}");
        Add(descriptor);
        return descriptor;
    }

    /// <summary>Opens the files of cgroups that a process is to join.</summary>
    /// <exception cref="RuntimeException">One cannot be opened.</exception>
    public List<int> OpenMembers(IReadOnlyList<string> memberFiles) => [.. memberFiles.Select(file => Own(HostPath.OpenFile(file, OpenFlags.O_WRONLY), file))];

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
