using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>The entries of a directory, without "." and "..". Immutable.</summary>
/// <param name="files">What the Gofer told.</param>
internal sealed class GoferListing(List<NinePListedFile> files)
{
    private Dictionary<FileName, int>? _index; // set once

    /// <summary>How many entries there are.</summary>
    public int Count => files.Count;

    /// <summary>An entry.</summary>
    public NinePListedFile this[int index] => files[index];

    /// <summary>Finds an entry; -1 if there is none.</summary>
    public int Find(FileName name) => (Volatile.Read(ref _index) ?? MakeIndex()).TryGetValue(name, out int at) ? at : -1;

    private Dictionary<FileName, int> MakeIndex()
    {
        Dictionary<FileName, int> index = new(files.Count, FileNameComparer.Instance);
        for (int i = 0; i < files.Count; i++)
        {
            index.TryAdd(files[i].Name, i);
        }

        Volatile.Write(ref _index, index);
        return index;
    }
}
