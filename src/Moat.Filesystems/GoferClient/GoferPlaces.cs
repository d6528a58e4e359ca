using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.GoferClient;

/// <summary>Where a file can be found at the Gofer: by the name it was looked up with, or by one of the hard links that were made here. Any thread.</summary>
internal sealed class GoferPlaces(GoferInode? parent, FileName? name)
{
    private GoferInode? _parent = parent; // guarded by Lock
    private FileName? _name = name; // guarded by Lock
    private List<(GoferInode Parent, FileName Name)>? _others; // guarded by Lock
    private bool _isUnlinked; // guarded by Lock

    /// <summary>Guards what may change of the file in a shared tree: a leaf.</summary>
    public Lock Lock { get; } = new();

    /// <summary>The name that is used; the root has none.</summary>
    public (GoferInode? Parent, FileName? Name, bool IsUnlinked) Current
    {
        get
        {
            lock (Lock)
            {
                return (_parent, _name, _isUnlinked);
            }
        }
    }

    /// <summary>A hard link was made.</summary>
    public void Add(GoferInode parent, FileName name)
    {
        lock (Lock)
        {
            if (_isUnlinked)
            {
                (_parent, _name, _isUnlinked) = (parent, name, false);
                return;
            }

            (_others ??= []).Add((parent, name));
        }
    }

    /// <summary>A name was changed.</summary>
    public void Move(GoferInode parent, FileName name, GoferInode newParent, FileName newName)
    {
        lock (Lock)
        {
            if (Find(parent, name) is >= 0 and int other)
            {
                _others![other] = (newParent, newName);
                return;
            }

            (_parent, _name) = (newParent, newName);
        }
    }

    /// <summary>A name is gone: another one that is known takes its place, or the file has none any more.</summary>
    public void Remove(GoferInode parent, FileName name)
    {
        lock (Lock)
        {
            if (Find(parent, name) is >= 0 and int other)
            {
                _others!.RemoveAt(other);
            }
            else if (_others is { Count: > 0 })
            {
                (_parent, _name) = _others[^1];
                _others.RemoveAt(_others.Count - 1);
            }
            else
            {
                _isUnlinked = true;
            }
        }
    }

    private int Find(GoferInode parent, FileName name) => _others?.FindIndex(place => place.Parent == parent && place.Name.Equals(name)) ?? -1;
}
