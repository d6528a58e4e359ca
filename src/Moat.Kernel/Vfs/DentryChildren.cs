using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A directory's cached children by name. Changed under the directory inode's <see cref="Inode.DirectoryLock"/>; searched with or without it.</summary>
/// <remarks>Chains run through the dentries themselves. A search without the lock can stray into another chain while its dentry is moved or the table grows, and then miss what is there:
/// a miss says nothing, a find is right, because name and parent are looked at in the dentry itself. It always ends: links lead only to dentries that were linked before.</remarks>
internal sealed class DentryChildren
{
    private const int FirstBuckets = 8;

    private Dentry?[] _buckets = new Dentry?[FirstBuckets];
    private int _count;

    /// <summary>How many there are.</summary>
    public int Count => _count;

    /// <summary>Finds a child of <paramref name="parent"/>.</summary>
    public Dentry? Find(Dentry parent, ReadOnlySpan<byte> name)
    {
        int hash = FileName.HashOf(name);
        Dentry?[] buckets = Volatile.Read(ref _buckets);
        for (Dentry? at = Volatile.Read(ref buckets[hash & (buckets.Length - 1)]); at is not null; at = at.NextInBucket)
        {
            FileName own = at.Name;
            if (own.GetHashCode() == hash && own.Bytes.SequenceEqual(name) && at.Parent == parent)
            {
                return at;
            }
        }

        return null;
    }

    /// <summary>Adds a child, whose name is not there yet.</summary>
    public void Add(Dentry child)
    {
        if (_count >= _buckets.Length)
        {
            Grow();
        }

        Link(_buckets, child);
        _count++;
    }

    /// <summary>Takes a child out; false if it is not there.</summary>
    public bool Remove(Dentry child)
    {
        ref Dentry? head = ref BucketOf(_buckets, child);
        Dentry? before = null;
        for (Dentry? at = head; at is not null; before = at, at = at.NextInBucket)
        {
            if (at != child)
            {
                continue;
            }

            if (before is null)
            {
                Volatile.Write(ref head, child.NextInBucket);
            }
            else
            {
                before.NextInBucket = child.NextInBucket;
            }

            _count--;
            return true;
        }

        return false;
    }

    /// <summary>How many names there are of which it is known that they do not exist.</summary>
    public int CountNegative()
    {
        int count = 0;
        foreach (Dentry? head in _buckets)
        {
            for (Dentry? at = head; at is not null; at = at.NextInBucket)
            {
                count += at.Inode is null ? 1 : 0;
            }
        }

        return count;
    }

    /// <summary>Takes out those that a condition picks, and says which they were.</summary>
    public IReadOnlyList<Dentry> RemoveWhere(Predicate<Dentry> goes)
    {
        List<Dentry> gone = [];
        foreach (Dentry? head in _buckets)
        {
            for (Dentry? at = head; at is not null; at = at.NextInBucket)
            {
                if (goes(at))
                {
                    gone.Add(at);
                }
            }
        }

        foreach (Dentry child in gone)
        {
            Remove(child);
        }

        return gone;
    }

    private void Grow()
    {
        Dentry?[] buckets = new Dentry?[_buckets.Length * 2];
        foreach (Dentry? head in _buckets)
        {
            for (Dentry? at = head; at is not null;)
            {
                Dentry? next = at.NextInBucket;
                Link(buckets, at);
                at = next;
            }
        }

        Volatile.Write(ref _buckets, buckets);
    }

    private static void Link(Dentry?[] buckets, Dentry child)
    {
        ref Dentry? head = ref BucketOf(buckets, child);
        child.NextInBucket = head;
        Volatile.Write(ref head, child);
    }

    private static ref Dentry? BucketOf(Dentry?[] buckets, Dentry child) => ref buckets[child.Name.GetHashCode() & (buckets.Length - 1)];
}
